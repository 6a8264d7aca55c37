package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/live"
	"rtfm/traces/store"
)

// storeOptions say where packets are stored, and how many of them.
type storeOptions struct {
	dir      string
	limit    size
	age      float64 // seconds
	keepFree size
	fileSize size
	rotate   float64 // seconds
	buffer   size
	headers  bool
}

// storeRing is the memory of a ring, in MiB, where whole packets are captured.
const storeRing = 256

// add adds the options to those of a command that meters.
func (o *storeOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.dir, "store", "", "keep the packets in this `FOLDER`, too; whole ones, see rtfm store --help. With -i what the disk is too slow for is\ncounted and left out: metering never waits for it; --ring-size is 256 and --snap-length the most then")
	o.addLimits(f, "store-")
	group(f, groupStore)
}

// addLimits adds the options that say how much is stored, with a prefix before their
// names.
func (o *storeOptions) addLimits(f *pflag.FlagSet, prefix string) {
	o.fileSize, o.buffer = 1<<30, 256<<20
	f.Var(&o.limit, prefix+"size", "keep so many `OCTETS`, such as 500GiB; the oldest files are removed (default 0, all)")
	f.Var(newSeconds(&o.age, 0, 0, maxSeconds), prefix+"age", "keep packets of so many `SECONDS`, such as 168h; files go that have only older ones (default 0, all)")
	f.Var(&o.keepFree, prefix+"keep-free", "leave so many `OCTETS` of the disk free; the oldest files are removed")
	f.Var(&o.fileSize, prefix+"file-size", "begin a new file when one has so many `OCTETS`")
	f.Var(newSeconds(&o.rotate, 0, 0, maxSeconds), prefix+"rotate", "begin a new file when one has packets of so many `SECONDS` (default 0, never)")
	f.Var(&o.buffer, prefix+"buffer", "so many `OCTETS` of memory hold packets while the disk is slow")
	f.BoolVar(&o.headers, prefix+"headers", false, "store only headers; of the link, of IP and of TCP, UDP and the like")
}

// check finds options that do not fit, and has whole packets captured.
func (o *storeOptions) check(cmd *cobra.Command, c *captureOptions, records bool) error {
	if o.dir == "" {
		for _, name := range []string{"size", "age", "keep-free", "file-size", "rotate", "buffer", "headers"} {
			if f := cmd.Flags().Lookup("store-" + name); f != nil && f.Changed {
				return fmt.Errorf("--store-%s needs --store, a folder", name)
			}
		}
		return nil
	}
	if records {
		return errors.New("--store is for packets: flow records of routers are none")
	}
	if c.isLive() {
		if !cmd.Flags().Changed("ring-size") {
			c.ringSize = storeRing
		}
		if !cmd.Flags().Changed("snap-length") && !o.headers {
			c.snapLen = live.MaxSnapLen
		}
	}
	return nil
}

// idle returns how long a source may be without packets before whoever reads it is
// told, which is less than other wants; 0 for any time.
func (o *storeOptions) idle(other time.Duration) time.Duration {
	if o.dir == "" || other > 0 && other < storeFlush {
		return other
	}
	return storeFlush
}

// storing is the store of a command, nil for none.
type storing struct {
	*store.Writer
	dir string
}

// storeFlush is how long captured packets may be in memory only.
const storeFlush = time.Second

// open opens the store, unless there is to be none. notify is told what someone who
// looks at it should know.
func (o *storeOptions) open(live bool, notify func(message string)) (*storing, error) {
	if o.dir == "" {
		return nil, nil
	}
	c := store.Config{
		Dir: o.dir, Buffer: int64(o.buffer), FileSize: int64(o.fileSize), Rotate: seconds(o.rotate),
		Size: int64(o.limit), KeepFree: int64(o.keepFree), Age: seconds(o.age), Notify: notify,
	}
	if o.headers {
		c.Keep = func(p *traces.Packet) int { return packet.Headers(p.Link, p.Data, p.Wire) }
	}
	if c.Wait = !live; live {
		c.Flush = storeFlush
	}
	w, err := store.NewWriter(c)
	if err != nil {
		return nil, err
	}
	return &storing{w, o.dir}, nil
}

// tee returns a source whose packets are stored as they are read.
func (s *storing) tee(src traces.Source) traces.Source {
	if s == nil {
		return src
	}
	return s.Tee(src)
}

// finish writes what is left when err has come of metering, tells what was stored, and
// returns err, or that packets are missing. If tell is nil nothing is told.
func (s *storing) finish(err error, tell func(text string)) error {
	if s == nil {
		return err
	}
	if tell == nil {
		tell = func(string) {}
	}
	fault := s.Close()
	t := s.Totals()
	tell(fmt.Sprintf("%d packets are stored in %s", t.Packets, s.dir))
	missing := t.Unstored + t.Unfit
	switch {
	case err != nil || fault == nil && missing == 0:
		if missing > 0 {
			tell(fmt.Sprintf("%d packets are not stored", missing))
		}
		return err
	case t.Unstored == 0 && fault == nil:
		fault = errors.New("no file can hold them")
	case fault == nil:
		fault = errors.New("the disk was too slow or full; rtfm store info tells when")
	}
	return &exitError{status: StatusFull, err: fmt.Errorf("%s: %d packets are not stored: %w", s.dir, missing, fault)}
}
