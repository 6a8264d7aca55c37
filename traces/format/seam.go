package format

import "rtfm/traces"

// Seam returns where in its file the records end that a trace, one from Open that is not
// compressed, has been read of. It reports false if a reader that begins there may give
// other packets than one that goes on: after cells of ATM, or packets without a time; and
// of other formats than pcap, pcapng and ERF. A reader that begins there needs to have
// read what is no packet: the head of pcap, and of pcapng sections and interfaces.
func Seam(src traces.Source) (at int64, ok bool) {
	r, ok := src.(*reader)
	if !ok || r.compression != "" {
		return 0, false
	}
	switch f := r.format.(type) {
	case *pcap:
		return r.in.off, true
	case *pcapng:
		return r.in.off, !f.simple
	case *erf:
		return r.in.off, f.cells.circuits == nil
	}
	return r.in.off, false
}
