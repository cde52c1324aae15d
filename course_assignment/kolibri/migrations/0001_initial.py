"""Course assignments in Kolibri's database."""

import django.db.models.deletion
import morango.models.fields.uuids
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kolibriauth", "0035_facilitydataset_picture_password_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="CourseAssignment",
            fields=[
                (
                    "id",
                    morango.models.fields.uuids.UUIDField(editable=False, primary_key=True, serialize=False),
                ),
                ("_morango_dirty_bit", models.BooleanField(default=True, editable=False)),
                ("_morango_source_id", models.CharField(editable=False, max_length=96)),
                ("_morango_partition", models.CharField(editable=False, max_length=128)),
                (
                    "course",
                    morango.models.fields.uuids.UUIDField(
                        help_text="The id of the course's ContentNode, which need not be on this device."
                    ),
                ),
                ("assigned_by", morango.models.fields.uuids.UUIDField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=False)),
                ("title", models.CharField(max_length=200)),
                ("channel_id", morango.models.fields.uuids.UUIDField(blank=True, null=True)),
                ("content_id", morango.models.fields.uuids.UUIDField(blank=True, null=True)),
                ("channel_version", models.IntegerField(blank=True, null=True)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="course_assignments",
                        to="kolibriauth.collection",
                    ),
                ),
                (
                    "dataset",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="kolibriauth.facilitydataset"),
                ),
            ],
            options={"db_table": "course_assignment_courseassignment"},
        ),
    ]
