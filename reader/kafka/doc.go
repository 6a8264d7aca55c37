// Package kafka sends collections to Apache Kafka.
//
// A flow is a record, JSON, in one topic; the collection's own row follows in another when
// all replicas in sync have its flows. The key is the meter's name, so that what comes of
// one meter is in order. The producer is idempotent: what it repeats itself is there once.
// What is sent again by a new one, after an error or a crash, the rows' keys tell.
package kafka
