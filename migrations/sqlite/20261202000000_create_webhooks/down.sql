DROP TABLE webhook_failures;
DROP TABLE webhooks;
