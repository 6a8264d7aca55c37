// Natsread prints what a stream of NATS JetStream holds, in its order: for each message a
// line of its subject, its identifier and what it is packed with, behind a #, and then
// what it has. It knows of NATS what the official client does, and of rtfm nothing.
//
//	natsread URL STREAM [CREDENTIALS]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: natsread URL STREAM [CREDENTIALS]")
		os.Exit(1)
	}
	var options []nats.Option
	if len(os.Args) > 3 {
		options = append(options, nats.UserCredentials(os.Args[3]))
	}
	if err := read(os.Args[1], os.Args[2], options); err != nil {
		fmt.Fprintln(os.Stderr, "natsread:", err)
		os.Exit(1)
	}
}

func read(url, stream string, options []nats.Option) error {
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	state := s.CachedInfo().State
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		return err
	}
	for at := state.FirstSeq; at <= state.LastSeq; at++ {
		m, err := s.GetMsg(ctx, at)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		data, packed := m.Data, m.Header.Get("Content-Encoding")
		if packed == "zstd" {
			if data, err = decoder.DecodeAll(data, nil); err != nil {
				return err
			}
		}
		fmt.Printf("# %s %s %s\n%s", m.Subject, m.Header.Get("Nats-Msg-Id"), packed, data)
	}
	return nil
}
