"""The switches that the code asks for, so that the admin site lists them from the start."""

from django.db import migrations

NOTE = (
    "On: nothing new is enriched or generated for a subject while pictures of it wait for review."
)


def add_switches(apps, schema_editor):
    apps.get_model("waffle", "Switch").objects.get_or_create(
        name="review_first", defaults={"active": False, "note": NOTE}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0001_initial"),
        ("waffle", "0004_update_everyone_nullbooleanfield"),
    ]

    operations = [migrations.RunPython(add_switches, migrations.RunPython.noop)]
