"""Nobody asked what is held, decided or calibrated by whom: three indexes that each decision wrote."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0014_ready_items'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='reviewitem',
            name='calibration',
            field=models.ForeignKey(blank=True, db_index=False, help_text="Whose lines the gate's opinion is by.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='items', to='curation.calibration'),
        ),
        migrations.AlterField(
            model_name='reviewitem',
            name='decider',
            field=models.ForeignKey(blank=True, db_index=False, help_text='Whose decision stands.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='reviewitem',
            name='holder',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
    ]
