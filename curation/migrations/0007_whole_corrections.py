"""A correction keeps its candidates, mask, recipe and the words as they were typed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0006_opinions")]

    operations = [
        migrations.AddField(
            model_name="correction",
            name="candidates",
            field=models.ManyToManyField(blank=True, related_name="+", to="curation.image"),
        ),
        migrations.AddField(
            model_name="correction",
            name="raw_instruction",
            field=models.CharField(blank=True, default="", max_length=500),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="correction",
            name="mask",
            field=models.BinaryField(
                help_text="PNG, 8-bit grey, as large as `rejected`; 255 where it was to change.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="recipe",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="correction",
            name="outside_change",
            field=models.FloatField(
                blank=True,
                help_text="Mean change outside the mask, 0 to 1 of full scale; null without a mask.",
                null=True,
            ),
        ),
    ]
