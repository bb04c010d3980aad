"""RabbitMQ through pika: what is declared, how events are published, how they are consumed."""
