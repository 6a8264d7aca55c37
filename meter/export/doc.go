// Package export takes the messages of a meter's feed to where they are wanted: by UDP,
// over a stream, or into a file.
//
// A goroutine of its own sends them. They wait for it in a queue of a fixed size. A
// live meter never waits: a message that finds the queue full is dropped and counted,
// with its records. One of traces waits for the queue.
//
// Over a stream, and in a file that is opened again, each beginning has the templates
// again, before whatever was waiting, since messages cannot be read without them; then
// the meter is asked to tell once more which flows there are (Anew).
package export
