"""Whoever makes somebody a member says in which role."""

from django.db import migrations, models

ROLES = [
    ("guest", "Guest: reviews one batch"),
    ("reviewer", "Reviewer: looks at everything and decides"),
    ("curator", "Curator: also uploads, starts runs, freezes and invites"),
]


class Migration(migrations.Migration):
    dependencies = [("curation", "0007_whole_corrections")]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(choices=ROLES, max_length=8),
        ),
    ]
