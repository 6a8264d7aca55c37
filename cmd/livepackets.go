package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spf13/pflag"

	"rtfm/reader/flowlist"
	"rtfm/reader/page"
	"rtfm/traces/format"
	"rtfm/traces/store"
)

// packetOptions name a store that has the packets of what a live view shows.
type packetOptions struct{ dir string }

// add adds the option to a command's.
func (o *packetOptions) add(f *pflag.FlagSet, offer string) {
	f.StringVar(&o.dir, "packets", "", offer+" of this `FOLDER`; a store, which rtfm store run or\nanother's --store keeps")
}

// check finds out whether there is a store.
func (o *packetOptions) check() error {
	if o.dir == "" {
		return nil
	}
	src, err := store.Open(o.dir, store.Query{})
	if err != nil {
		return fmt.Errorf("--packets %w; rtfm store run makes one", err)
	}
	return src.Close()
}

// mostShown is how many octets of packets a page sends at a time.
const mostShown = 64 << 20

// of returns what gets packets of the flows that a page shows, which come out of these
// tunnels; nil without a store.
func (o *packetOptions) of(tunnels tunnelOptions) page.PacketsOf {
	if o.dir == "" {
		return nil
	}
	return func(ctx context.Context, w io.Writer, row []byte) (verdict string, err error) {
		origin := originOptions{tunnels: tunnels, of: flowlist.New(false)}
		if err := origin.of.AddRow(row); err != nil {
			return "", err
		}
		q := store.Query{From: math.MinInt64, To: math.MaxInt64}
		origin.within(&q)
		q.Flows = origin.wanted()
		src, err := store.Open(o.dir, q)
		if err != nil {
			return "", err
		}
		defer src.Close()
		out, err := format.NewWriter(w, "flow.pcapng", "pcapng", 0)
		if err != nil {
			return "", err
		}
		f := fetch{pass: origin.passing(), most: mostShown, tell: func(error) {}}
		if err := f.run(ctx, out, src); err != nil {
			return "", err
		}
		return f.verdict(), out.Close()
	}
}

// writing returns what writes the packets of a flow to a new file in the current folder,
// and tells how that went; nil without a store.
func (o *packetOptions) writing(ctx context.Context, tunnels tunnelOptions) func(row []byte) string {
	get := o.of(tunnels)
	if get == nil {
		return nil
	}
	return func(row []byte) string {
		f, err := os.OpenFile(time.Now().UTC().Format("flow-20060102T150405.pcapng"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
		if err != nil {
			return err.Error()
		}
		verdict, err := get(ctx, f, row)
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(f.Name())
			return err.Error()
		}
		return f.Name() + ": " + verdict
	}
}
