from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from curation.models import Choice, Decision, Membership, ReviewItem, Role, Subject
from curation.removal.trashing import move_to_trash
from curation.reviewing.comparing import compare
from curation.reviewing.deciding import decide, record
from curation.reviewing.opinions import judge_twice
from curation.reviewing.reviewers import records
from curation.views.comparing import DISPUTES
from tests.curation.cast import make_image, make_item

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def page(client: Client, alice: User, subject: Subject) -> Client:
    client.force_login(alice)
    return client


def dispute(subject: Subject, number: int, first: User, second: User) -> ReviewItem:
    item = judged(subject, number, (first, Choice.ACCEPT), (second, Choice.REJECT))
    assert item.is_disputed
    return item


def judged(subject: Subject, number: int, *words: tuple[User, Choice]) -> ReviewItem:
    """Said one after the other, each knowing of no verdict."""
    item = make_item(subject, number)
    judge_twice(item.batch, 1.0)
    for author, choice in words:
        reasons = ["identity", "limbs"] if choice == Choice.REJECT else []
        said = Decision(item=item, author=author, choice=choice, reasons=reasons, seconds=2.0)
        record(said, saw="pending")
    return ReviewItem.objects.select_related("image", "batch").get(pk=item.pk)


def url_of(item: ReviewItem) -> str:
    return reverse("disputed", args=["juno", item.batch_id])


def test_a_dispute_shows_who_said_what_and_why(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    bob.first_name = NASTY
    bob.save()
    item = dispute(subject, 1, alice, bob)
    words = page.get(url_of(item)).text
    for expected in ("1 disputed picture", "alice", "stands", "Not this person, Hands or limbs"):
        assert expected in words
    assert NASTY not in words
    assert "&lt;img src=x" in words


def test_what_is_settled_stands_and_is_disputed_no_more(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item, key = dispute(subject, 1, alice, bob), uuid.uuid4()
    for _ in range(2):
        page.post(reverse("settle", args=[item.pk]), {"choice": "reject", "key": key})
    item.refresh_from_db()
    assert (item.image.verdict, item.is_disputed, item.is_waiting) == ("rejected", False, False)
    assert Decision.objects.count() == 3
    assert "Nothing is disputed" in page.get(url_of(item)).text


def test_of_two_who_settle_the_first_prevails_and_the_second_is_told(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    settle = reverse("settle", args=[item.pk])
    page.post(settle, {"choice": "reject"})
    page.force_login(bob)
    assert "theirs stands" in page.post(settle, {"choice": "accept"}, follow=True).text
    item.refresh_from_db()
    assert item.image.verdict == "rejected"


def test_a_settlement_sent_twice_is_one_and_goes_without_a_word(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    (key,) = re.findall(r'name="key" value="([^"]+)"', page.get(url_of(item)).text)
    settle = reverse("settle", args=[item.pk])
    for _ in range(2):
        after = page.post(settle, {"choice": "reject", "key": key}, follow=True)
        assert "theirs stands" not in after.text
    assert Decision.objects.count() == 3


def test_a_dispute_shows_what_stands_and_what_was_said_about_that_alone(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    decide(item, Choice.ACCEPT, by=alice)
    item.refresh_from_db()
    for choice in (Choice.ACCEPT, Choice.REJECT):
        record(Decision(item=item, author=bob, choice=choice), saw="pending")
    ((_, words, _),) = page.get(url_of(item)).context["disputes"]
    assert [(word.author, word.choice) for word in words] == [(alice, "accept"), (bob, "reject")]
    assert page.get(url_of(item)).text.count(">stands<") == 1


def test_what_is_settled_can_become_a_test(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    page.post(reverse("settle", args=[item.pk]), {"choice": "reject", "is_test": "on"})
    item.refresh_from_db()
    assert item.gold == "reject"


def test_a_dispute_in_the_trash_is_nobodys(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    move_to_trash(item.image)
    assert "Nothing is disputed" in page.get(url_of(item)).text
    assert url_of(item) not in page.get(reverse("batches", args=["juno"])).text


def test_a_settlement_that_says_nothing_is_refused(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = dispute(subject, 1, alice, bob)
    assert page.post(reverse("settle", args=[item.pk]), {"choice": "skip"}).status_code == 422
    assert Decision.objects.count() == 2


def test_disputes_come_a_page_at_a_time_and_cost_the_same_for_many(
    page: Client, subject: Subject, alice: User, bob: User, django_assert_max_num_queries
) -> None:
    items = [dispute(subject, number, alice, bob) for number in range(DISPUTES + 2)]
    with django_assert_max_num_queries(12):
        first = page.get(url_of(items[0]))
    assert [item.pk for item, *_ in first.context["disputes"]] == [
        item.pk for item in items[:DISPUTES]
    ]
    rest = page.get(url_of(items[0]), {"after": first.context["next_after"]})
    assert [item.pk for item, *_ in rest.context["disputes"]] == [
        item.pk for item in items[DISPUTES:]
    ]


def test_the_numbers_and_the_list_of_batches_lead_to_disputes_where_there_are_some(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = judged(subject, 1, (alice, Choice.ACCEPT))
    pages = [reverse("batches", args=["juno"]), reverse("numbers", args=["juno", item.batch_id])]
    assert not any(url_of(item) in page.get(one).text for one in pages)
    dispute(subject, 2, alice, bob)
    assert all(url_of(item) in page.get(one).text for one in pages)


def test_agreement_counts_blind_words_only(subject: Subject, alice: User, bob: User) -> None:
    for number in range(12):
        item = dispute(subject, number, alice, bob)
        decide(item, Choice.REJECT, by=alice)
    found = compare(item.batch)
    assert found.num_items == 12
    assert found.overall is not None
    assert found.overall.raw.value == 0
    assert [pair.name for pair in found.pairs] == ["alice and bob"]
    assert {reason.name: reason.num_given for reason in found.reasons} == {
        "Not this person": 12,
        "Hands or limbs": 12,
    }


def test_a_reviewers_record(subject: Subject, alice: User, bob: User) -> None:
    for number in range(12):
        choice = Choice.ACCEPT if number % 2 else Choice.REJECT
        judged(subject, number, (alice, choice), (bob, choice))
    judged(subject, 20, (alice, Choice.ACCEPT), (alice, Choice.REJECT))
    hers, his = records(subject)
    assert (hers.name, hers.pace, hers.accepted.part, hers.accepted.whole) == ("alice", 30, 7, 14)
    assert (hers.repeats.part, hers.repeats.whole) == (0, 1)
    assert his.num_shared == 12
    assert his.agreement is not None
    assert his.agreement.beyond_chance is not None
    assert his.agreement.beyond_chance.value == 1


def test_an_edit_rejected_by_the_choice_of_a_better_one_is_no_look_at_it(
    subject: Subject, alice: User, bob: User
) -> None:
    first, better = make_item(subject, 1), make_item(subject, 2)
    ReviewItem.objects.filter(pk=first.pk).update(source=make_image(subject, 3))
    ReviewItem.objects.filter(pk=better.pk).update(answer_to=first)
    decide(ReviewItem.objects.get(pk=better.pk), Choice.ACCEPT, by=alice)
    first.refresh_from_db()
    assert first.image.verdict == "rejected"
    (hers,) = records(subject)
    assert (hers.accepted.part, hers.accepted.whole) == (1, 1)
    record(Decision(item=first, author=bob, choice=Choice.REJECT), saw="pending")
    assert compare(first.batch).num_items == 0


def test_only_who_may_is_told_to_let_pictures_be_judged_twice(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    item = judged(subject, 1, (alice, Choice.ACCEPT))
    judge_twice(item.batch, 0.0)
    Membership.objects.filter(user=bob).update(role=Role.REVIEWER)
    reviewers = reverse("reviewers", args=["juno"])
    numbers = reverse("numbers", args=["juno", item.batch_id])
    assert "switch that on" in page.get(reviewers).text
    assert "Let some be judged twice" in page.get(numbers).text
    assert page.get(numbers).context["shares"]
    page.force_login(bob)
    assert "switch that on" not in page.get(reviewers).text
    assert "Let some be judged twice" not in page.get(numbers).text
    assert not page.get(numbers).context["shares"]


def test_whoever_leads_sees_everybody_and_a_reviewer_oneself(
    page: Client, subject: Subject, alice: User, bob: User
) -> None:
    judged(subject, 1, (alice, Choice.ACCEPT), (bob, Choice.ACCEPT))
    Membership.objects.filter(user=bob).update(role=Role.REVIEWER)
    url = reverse("reviewers", args=["juno"])
    assert [record.name for record in page.get(url).context["records"]] == ["alice", "bob"]
    page.force_login(bob)
    assert [record.name for record in page.get(url).context["records"]] == ["bob"]


def test_the_pages_cost_the_same_for_many(
    page: Client, subject: Subject, alice: User, bob: User, django_assert_max_num_queries
) -> None:
    for number in range(15):
        item = judged(subject, number, (alice, Choice.ACCEPT), (bob, Choice.ACCEPT))
    with django_assert_max_num_queries(14):
        page.get(reverse("reviewers", args=["juno"]))
    with django_assert_max_num_queries(25):
        page.get(reverse("numbers", args=["juno", item.batch_id]))
    with django_assert_max_num_queries(10):
        page.get(reverse("tests", args=["juno", item.batch_id]))


def test_how_much_is_judged_twice_is_chosen_on_the_numbers_page_and_it_tells_what_that_does(
    page: Client, subject: Subject, alice: User
) -> None:
    item = make_item(subject)
    decide(item, Choice.ACCEPT, by=alice)
    numbers = reverse("numbers", args=["juno", item.batch_id])
    assert "1 decided comes back" in page.get(numbers).text
    url = reverse("judge_twice", args=["juno", item.batch_id])
    for _ in range(2):
        assert page.post(url, {"share": "1.0"}).url == numbers
    item.refresh_from_db()
    assert item.is_waiting
    assert "1 waits no more" in page.get(numbers).text
    assert page.post(url, {"share": "0.7"}).status_code == 422
