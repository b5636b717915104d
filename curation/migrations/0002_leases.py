"""Review items know by themselves whether they wait, who holds them and what lies beside them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='is_late',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='answer_to',
            field=models.ForeignKey(blank=True, help_text='The item about which the editor was asked again.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='answers', to='curation.reviewitem'),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='held_until',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='holder',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='is_waiting',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='lease',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='nearest',
            field=models.JSONField(blank=True, default=list, help_text='The likest photos: sha256 and shot of each.'),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='rank',
            field=models.FloatField(default=0, help_text='Smaller is reviewed sooner.'),
        ),
        migrations.AddField(
            model_name='reviewitem',
            name='source',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='curation.image'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('is_waiting', True)), fields=['batch', 'skips', 'rank', 'id'], name='waiting_items_in_order'),
        ),
        migrations.AddIndex(
            model_name='reviewitem',
            index=models.Index(condition=models.Q(('lease__isnull', False)), fields=['lease'], name='held_items'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('held_until', None), ('lease', None)), models.Q(('held_until__isnull', False), ('lease__isnull', False)), _connector='OR'), name='held_by_somebody_until_some_time'),
        ),
    ]
