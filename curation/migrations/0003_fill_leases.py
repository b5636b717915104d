"""Tell the items that were there before 0002 what they know by themselves from now on."""

from django.db import migrations


def fill(apps, schema_editor):
    items = apps.get_model('curation', 'ReviewItem').objects
    photos = apps.get_model('curation', 'Image').objects.filter(origin='photo', trashed_at=None)
    waiting = items.filter(image__verdict='pending', image__trashed_at=None)
    items.exclude(pk__in=waiting.values('pk')).update(is_waiting=False)
    for item in items.select_related('image').iterator():
        item.source = item.image.parents.order_by('pk').first()
        item.nearest = nearest(item.image, photos.filter(subject=item.image.subject_id))
        item.save(update_fields=['source', 'nearest'])


def nearest(made, photos):
    """By view and expression; pictures made from now on are compared by face as well."""
    likest = sorted(photos, key=lambda p: (p.view != made.view, p.expression != made.expression))
    return [
        {'sha256': photo.sha256, 'shot': ', '.join(filter(None, (photo.expression, photo.view)))}
        for photo in likest[:4]
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0002_leases'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
