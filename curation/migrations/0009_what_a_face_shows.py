"""Where a face points, how large and how sharp it is; what was measured before lacks it."""

from django.db import migrations, models


def measure_again(apps, schema_editor):
    """A measurement of no weights is taken anew; until then its embedding is compared with none."""
    measurements = apps.get_model("curation", "Measurement").objects.using(
        schema_editor.connection.alias
    )
    measurements.filter(num_faces__gt=0).update(backend_sha256="")


FACE_SHARPNESS = (
    "Variance of the Laplacian of the face brought to one size and upright: a measure of blur "
    "that can be compared from picture to picture."
)


class Migration(migrations.Migration):
    dependencies = [("curation", "0008_no_role_by_default")]

    operations = [
        migrations.AddField(
            model_name="measurement",
            name="face_size",
            field=models.FloatField(help_text="Longer side of its box, px.", null=True),
        ),
        migrations.AddField(
            model_name="measurement",
            name="face_sharpness",
            field=models.FloatField(help_text=FACE_SHARPNESS, null=True),
        ),
        migrations.AddField(
            model_name="measurement",
            name="yaw",
            field=models.FloatField(
                help_text="Degrees; 0 is frontal, positive where the face points right.", null=True
            ),
        ),
        migrations.AddField(
            model_name="measurement",
            name="pitch",
            field=models.FloatField(help_text="Degrees; positive where it points up.", null=True),
        ),
        migrations.AddField(
            model_name="measurement",
            name="roll",
            field=models.FloatField(help_text="Degrees; positive where it leans right.", null=True),
        ),
        migrations.AlterField(
            model_name="measurement",
            name="face",
            field=models.JSONField(
                help_text="Largest face: box and 5 keypoints in pixels, detection score.", null=True
            ),
        ),
        migrations.RunPython(measure_again, migrations.RunPython.noop),
    ]
