package survey_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/traces/survey"

	"rtfm/traces/tracetest"
)

// truth is one line of TRUTH.tsv: what other programs say of a trace. Empty
// fields are not known.
type truth struct {
	path, filetype             string
	packets, wire, captured    string
	first, last, chronological string
}

// readTruth returns the lines of the given traces' TRUTH.tsv.
func readTruth(t *testing.T, dir string) (lines []truth) {
	f, err := os.Open(filepath.Join(dir, "truth", "TRUTH.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Scan() // the heading
	for sc.Scan() {
		c := strings.Split(sc.Text(), "\t")
		lines = append(lines, truth{
			path: c[0], filetype: c[3], packets: c[5], wire: c[6], captured: c[7],
			first: c[8], last: c[9], chronological: c[10],
		})
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// surveyOf tells what a trace holds.
func surveyOf(name string) *survey.Info {
	src, err := format.Open(name)
	if err != nil {
		return &survey.Info{Damage: err}
	}
	defer src.Close()
	return survey.NewInfo(context.Background(), src, time.Second)
}

// mismatches returns the names of the columns of w that s contradicts.
func mismatches(s *survey.Info, w truth) (bad []string) {
	number := func(name, want string, got uint64) {
		if want != "" && want != strconv.FormatUint(got, 10) {
			bad = append(bad, fmt.Sprintf("%s %d, not %s", name, got, want))
		}
	}
	number("packets", w.packets, s.Packets)
	number("octets", w.wire, s.Octets+s.FCS)
	number("captured", w.captured, s.Captured)
	if s.Packets > 0 {
		for _, c := range []struct {
			name, want string
			got        int64
		}{{"first", w.first, s.First}, {"last", w.last, s.Last}} {
			if !strings.Contains(c.want, ".") {
				continue // "n/a", or nothing
			}
			got := fmt.Sprintf("%d.%09d", c.got/1e9, c.got%1e9)
			if !strings.HasPrefix(got, c.want) {
				bad = append(bad, fmt.Sprintf("%s %s, not %s", c.name, got, c.want))
			}
		}
	}
	switch {
	case w.chronological == "True" && s.Early > 0, w.chronological == "False" && s.Early == 0:
		bad = append(bad, "chronological not "+w.chronological)
	}
	if s.Damage != nil {
		bad = append(bad, "error")
	}
	return bad
}

// exceptions are the traces for which TRUTH.tsv is contradicted, with what is
// different and why that is right.
var exceptions = map[string]struct{ differs, why string }{
	"libtrace/complex.pcapng": {"captured 798, not 914",
		"capinfos adds the lengths of three blocks that hold no packet; tshark finds 798 octets in the five packets"},
	"libtrace/legacyeth.gz": {"octets 29972, not 30372",
		"libtrace adds 4 to lengths that have the check sequence already: they are from 64 to 1518, and 18 more than the IP header tells"},
	"libtrace/provenance.erf": {"packets 0, not 100; octets 0, not 30352; captured 0, not 30352",
		"the records are of type META, which describe the capture"},
	"ndpi/fuzz-2021-06-07-c6c72a0a56.pcap": {"first 1953635450.562680000, not 1953631157.-1404616; last 1953635450.562680000, not 1953631157.-1404616",
		"more than a million microseconds, which capinfos prints with a sign"},
	"ndpi/fuzz-2021-10-13.pcap": {"first 980658803.882137472, not 980658802.1882137472; last 980658803.882137472, not 980658802.1882137472; error",
		"more than a thousand million nanoseconds; two octets after the packet, of which tshark complains too"},
	"pcapplusplus/Pcap++Test/PcapExamples/file_heuristics/pcapng-example.pcapng.zst": {"first 1422527998.578402281, not 18446744073204.126329; last 9223372036.854775807, not 18446744073204.277451",
		"the times of one interface are beyond the year 2262; capinfos forgot the other interface"},
	"tcpdump/atm-oam-heapoverflow.pcap": {"captured 4, not 0",
		"the pseudo header of SunATM, which is part of Data but not of the packet"},
	"tcpdump/atm-oam-loopback-print-overrun.pcap": {"captured 64, not 60; first 1544489736.821166000, not 1544488577.179996; last 1544489736.821166000, not 1544488577.179996",
		"as before; more than a million microseconds, of which capinfos computes nanoseconds in 32 bits"},
	"tcpdump/bgp_vpn_rt-oobr.pcap": {"first 0.000000000, not 4294901760.000128; last 4294901760.000128000, not 1178686547.000070",
		"capinfos takes times more than 2^31 seconds apart for the wrong order"},
	"tcpdump/olsr-oobr-2.pcap": {"first 0.999999000, not 4294934285.999999; last 4294934285.999999000, not 1545335295.999999; chronological not True",
		"as before"},
	"tcpdump/pim_header_asan-2.pcap": {"first 4.999999000, not 2521431551.000004",
		"as before"},
	"tcpdump/rx_serviceid_oobr.pcap": {"first 3841.916976000, not 0.-2078753",
		"more than a million microseconds, which capinfos prints with a sign"},
	"tcpdump/timestamp_invalid_nano.pcap": {"last 1418145372.147483648, not 1418145370.-2147483648",
		"more than a thousand million nanoseconds, which capinfos prints with a sign"},
}

// TestTruth reads every given trace of a known format and compares its totals
// with those that capinfos or libtrace found.
func TestTruth(t *testing.T) {
	dir := tracetest.Require(t, "traces")
	n := 0
	for _, w := range readTruth(t, dir) {
		switch strings.Fields(w.filetype + " -")[0] {
		case "pcap", "nsecpcap", "pcapng", "erf", "snoop", "tsh", "legacyatm", "legacyeth", "legacypos":
		default:
			continue
		}
		n++
		s := surveyOf(filepath.Join(dir, "traces", w.path))
		got := strings.Join(mismatches(s, w), "; ")
		if want := exceptions[w.path].differs; got != want {
			t.Errorf("%s: %s; error %v\nexpected to differ in: %q", w.path, got, s.Damage, want)
		}
	}
	if n < 1380 {
		t.Errorf("compared only %d traces", n)
	}
}

// bad are the given files that cannot be read to an orderly end.
var bad = map[string]error{
	"libpcap/pcapng-invalid-vers-2.pcapng": format.ErrCorrupt, // version 1.1
	"libpcap/shb-option-too-long.pcapng":   format.ErrCorrupt,
	"libtrace/100_packets.duck":            format.ErrFormat, // clock records
	"libtrace/wed.wtf":                     format.ErrFormat,
	"ndpi/fuzz-2021-10-13.pcap":            format.ErrTruncated,
}

// TestGivenTraces opens every given file: each must be read to its end, to
// damage that an *Error tells, or be refused.
func TestGivenTraces(t *testing.T) {
	dir := filepath.Join(tracetest.Require(t, "traces"), "traces")
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		s := surveyOf(name)
		if want := bad[path]; !errors.Is(s.Damage, want) || want == nil && s.Damage != nil {
			t.Errorf("%s: %d packets, error %v; want %v", path, s.Packets, s.Damage, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
