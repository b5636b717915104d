"""Servers die, networks fail, logins expire, tabs close: each decision is stored once, in order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import Page, Route, expect

from curation.models import Batch, Decision, ReviewItem, Subject
from flenwheel.http import LATELY
from tests.browser.desk import come_to, log_in, make, saved
from tests.services.conftest import free_port

WEB = ("-m", "granian", "--interface", "wsgi", "--no-ws", "--blocking-threads", "4")


@dataclass
class Server:
    """The product's own web process over the test's database, to be killed at will."""

    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = (*WEB, "--port", str(self.port), "flenwheel.wsgi:application")
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait(self) -> None:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{self.url}/login/", timeout=2).close()  # noqa: S310 (our own)
            except OSError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("the web process does not answer")

    def kill(self) -> None:
        """The whole group at once, as a power cut would."""
        assert self.process
        os.killpg(self.process.pid, 9)
        self.process.wait()


@pytest.fixture
def server(page: Page) -> Iterator[Server]:
    if connection.vendor != "sqlite":
        pytest.skip("the server opens the test's own file")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "flenwheel.settings",
        "FLENWHEEL_DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "FLENWHEEL_SECRET_KEY": settings.SECRET_KEY,
        "FLENWHEEL_VAR": str(settings.VAR),
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, check=True, cwd=settings.ROOT, env=environment)
    server = Server(environment)
    server.start()
    server.wait()
    yield server
    server.kill()


@pytest.fixture
def batch(subject: Subject) -> Batch:
    batch = Batch.objects.create(subject=subject, title="Enrich")
    for seed in range(40):
        make(batch, "teal", seed)
    return batch


def decide(page: Page, key: str) -> None:
    # A killed server takes its time to come back, and pictures may have run out meanwhile.
    page.locator(".frame.current[data-verdict=pending]").wait_for(timeout=30_000)
    page.keyboard.press(key)


def everything_once(batch: Batch, count: int) -> bool:
    decided = list(Decision.objects.order_by("pk").values_list("item_id", flat=True))
    return len(decided) == len(set(decided)) == count


def test_a_server_killed_again_and_again_costs_nothing(
    page: Page, server: Server, batch: Batch, alice: User
) -> None:
    seed = int(os.environ.get("FLENWHEEL_CHAOS_SEED", "20"))
    lot = random.Random(seed)
    log_in(page.context, alice, server.url)
    come_to(page, batch, site=server.url)
    deadly = set(lot.sample(range(3, 38), 6))
    keys = [lot.choice("ax") for _ in range(40)]
    for number, key in enumerate(keys):
        decide(page, key)
        page.wait_for_timeout(lot.uniform(0, 120))
        if number in deadly:
            server.kill()
            server.start()
    saved(page)
    assert everything_once(batch, 40)
    said = {"a": "accept", "x": "reject"}
    stored = Decision.objects.order_by("pk").values_list("choice", flat=True)
    assert list(stored) == [said[key] for key in keys], f"FLENWHEEL_CHAOS_SEED={seed}"


def test_a_server_that_dies_in_the_middle_of_its_answer_is_asked_again(
    page: Page, batch: Batch
) -> None:
    come_to(page, batch)
    answers = []

    def cut(route: Route) -> None:
        answers.append(route.fetch())
        body = answers[-1].text() if len(answers) > 1 else '{"item":'
        route.fulfill(response=answers[-1], body=body)

    page.route("**/decide/", cut)
    for _ in range(3):
        decide(page, "a")
    saved(page)
    assert len(answers) == 4
    assert everything_once(batch, 3)


def test_an_expired_login_keeps_what_was_decided_until_somebody_logs_in_again(
    page: Page, batch: Batch, alice: User
) -> None:
    come_to(page, batch)
    decide(page, "a")
    saved(page)
    Session.objects.all().delete()
    page.wait_for_timeout(1000 * LATELY)
    for _ in range(3):
        decide(page, "x")
    expect(page.locator("[data-saved]")).to_contain_text("Log in again")
    assert Decision.objects.count() == 1
    log_in(page.context, alice, page.evaluate("location.origin"))
    saved(page)
    assert everything_once(batch, 4)


def test_what_one_person_decided_is_not_signed_by_who_logs_in_after_them(
    page: Page, batch: Batch, alice: User, bob: User
) -> None:
    come_to(page, batch)
    site = page.evaluate("location.origin")
    log_in(page.context, bob, site)
    for _ in range(2):
        decide(page, "a")
    expect(page.locator("[data-saved]")).to_contain_text("2 waiting to be sent. Somebody else")
    assert not Decision.objects.exists()
    log_in(page.context, alice, site)
    saved(page)
    assert set(Decision.objects.values_list("author", flat=True)) == {alice.pk}
    assert everything_once(batch, 2)


def test_a_failure_leaves_one_retry_however_many_decisions_wait(page: Page, batch: Batch) -> None:
    come_to(page, batch)
    page.evaluate("""() => {
        const [set, clear] = [setTimeout, clearTimeout];
        window.retries = new Set();
        window.setTimeout = (does, ms) => {
            const id = set(() => (window.retries.delete(id), does()), ms);
            if (ms >= 500) window.retries.add(id);
            return id;
        };
        window.clearTimeout = (id) => (window.retries.delete(id), clear(id));
    }""")
    page.route("**/decide/", lambda route: route.abort())
    for _ in range(5):
        decide(page, "a")
        page.wait_for_timeout(50)
    expect(page.locator("[data-saved]")).to_contain_text("5 waiting to be sent")
    assert page.evaluate("window.retries.size") <= 1
    page.unroute("**/decide/")
    saved(page)
    assert everything_once(batch, 5)


def test_a_page_that_is_hidden_before_it_was_painted_sends_at_once(
    page: Page, batch: Batch
) -> None:
    come_to(page, batch)
    page.wait_for_load_state("networkidle")
    page.evaluate("window.requestAnimationFrame = () => 0")  # As where nobody looks.
    page.keyboard.press("a")
    expect(page.locator("[data-saved]")).to_contain_text("1 waiting to be sent")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    expect(page.locator("[data-saved]")).to_have_text("all decisions saved")
    assert everything_once(batch, 1)


def test_a_closed_tab_sends_what_it_held_when_the_desk_is_opened_again(
    page: Page, batch: Batch
) -> None:
    come_to(page, batch)
    page.route("**/decide/", lambda route: route.abort())
    for _ in range(3):
        decide(page, "a")
    expect(page.locator("[data-saved]")).to_contain_text("3 waiting to be sent")
    again = page.context.new_page()
    page.close()
    come_to(again, batch)
    saved(again)
    assert everything_once(batch, 3)


def test_what_waits_from_one_batch_is_sent_from_the_next(
    page: Page, batch: Batch, subject: Subject
) -> None:
    other = Batch.objects.create(subject=subject, title="Another")
    make(other, "plum", 99)
    come_to(page, batch)
    page.route("**/decide/", lambda route: route.abort())
    for _ in range(3):
        decide(page, "a")
    expect(page.locator("[data-saved]")).to_contain_text("3 waiting to be sent")
    again = page.context.new_page()
    page.close()
    come_to(again, other)
    saved(again)
    assert everything_once(batch, 3)


def test_two_tabs_of_one_person_never_decide_the_same_picture(page: Page, batch: Batch) -> None:
    come_to(page, batch)
    other = page.context.new_page()
    come_to(other, batch)
    for _ in range(20):
        decide(page, "a")
        decide(other, "x")
    saved(page)
    saved(other)
    assert everything_once(batch, 40)
    assert not ReviewItem.objects.waiting().exists()
