package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/traces/live"
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
	cutoff   size
	format   string
}

// rawFile is the most octets of a file of HPCAP's RAW.
const rawFile = 2 << 30

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
	f.Var(&o.cutoff, prefix+"cutoff", "store only headers beyond `OCTETS` of a flow; such as 100KiB, of both directions, in each file anew")
	f.Var(newChoice(&o.format, "pcapng", "pcapng", "pcap", "erf", "raw"), prefix+"format", "`FORMAT` of files: pcapng, pcap, erf or raw; all but pcapng have marks beside them of what is missing")
}

// storeFormats are the formats of files, by the words for them.
var storeFormats = map[string]string{"pcapng": "pcapng", "pcap": "pcap", "erf": "erf", "raw": "hpcap"}

// check finds options that do not fit, and has whole packets captured.
func (o *storeOptions) check(cmd *cobra.Command, c *captureOptions, records bool) error {
	if o.dir == "" {
		for _, name := range []string{"size", "age", "keep-free", "file-size", "rotate", "buffer", "headers", "cutoff", "format"} {
			if f := cmd.Flags().Lookup("store-" + name); f != nil && f.Changed {
				return fmt.Errorf("--store-%s needs --store, a folder", name)
			}
		}
		return nil
	}
	if o.headers && o.cutoff > 0 {
		return errors.New("headers are all that is stored, there is nothing left for a cutoff")
	}
	if o.format == "raw" && int64(o.fileSize) > rawFile {
		return errors.New("RAW files have 2GiB at most: want a smaller file size")
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
