from django.db import migrations, models

# A session has no fewer events than messages, so what is said next comes after these.
NUMBER_THEM = """
UPDATE chat_message SET seq = numbered.place
FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY created_at, id) AS place FROM chat_message
) AS numbered
WHERE chat_message.id = numbered.id
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="seq",
            field=models.BigIntegerField(
                default=0, editable=False, help_text="Its place in the session: where its event lies."
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(NUMBER_THEM, migrations.RunSQL.noop),
        migrations.AlterModelOptions(name="message", options={"ordering": ("seq",)}),
        migrations.RemoveIndex(model_name="message", name="messages_of_a_session"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["session", "seq"], name="messages_in_order"),
        ),
    ]
