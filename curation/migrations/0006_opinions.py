"""A picture may be judged twice; some have a known answer."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def name_deciders(apps, schema_editor):
    """Whose decision stands, of what was decided before items knew it."""
    item = apps.get_model("curation", "ReviewItem")
    decision = apps.get_model("curation", "Decision")
    standing = decision.objects.filter(
        item=OuterRef("pk"), choice__in=["accept", "reject"], undone_by=None, is_opinion=False
    ).order_by("-pk")
    item.objects.exclude(image__verdict="pending").update(
        decider=Subquery(standing.values("author")[:1]),
        decided_at=Subquery(standing.values("created_at")[:1]),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0005_memberships"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField(model_name="decision", old_name="is_late", new_name="is_opinion"),
        migrations.AddField(
            model_name="decision",
            name="reasons_version",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="batch",
            name="judged_twice",
            field=models.FloatField(
                default=0,
                help_text="Share of its pictures, 0 to 1, that come back for a second opinion.",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("judged_twice__gte", 0), ("judged_twice__lte", 1)),
                name="judged_twice_is_a_share",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="decider",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose decision stands.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="decided_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="is_disputed",
            field=models.BooleanField(
                default=False, help_text="A second opinion differs, and nobody has settled it."
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="gold",
            field=models.CharField(
                blank=True,
                choices=[("accept", "accept"), ("reject", "reject")],
                help_text="The known answer: reviewers are tested with it, unmarked.",
                max_length=8,
                default="",
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("is_disputed", True)), fields=["batch"], name="disputed_items"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                condition=models.Q(("gold", ""), _negated=True), fields=["batch"], name="gold_items"
            ),
        ),
        migrations.RunPython(name_deciders, migrations.RunPython.noop),
    ]
