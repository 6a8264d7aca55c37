// Package nats sends collections to a stream of NATS JetStream.
//
// A message is a part of a collection's flows: those of one ruleset, as JSON lines, packed
// by zstd. Behind them comes a message of the collection's own row. Messages have an
// identifier that is made of what they hold, so within the stream's duplicate window one
// that is sent again is not stored twice; later the rows' keys tell.
package nats
