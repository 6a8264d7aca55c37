package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"rtfm/reader/spool"
)

// writeSpool writes a spool's status for people.
func writeSpool(w io.Writer, folder string, st *spool.Status) error {
	fmt.Fprintf(w, "%s: %d collections in %d octets\n", folder, st.Segments, st.Octets)
	for _, out := range st.Outlets {
		fmt.Fprintf(w, "\n%s\n  name     %s\n  next     collection %d\n", out.To, out.Name, out.Next)
		if out.Waiting == 0 {
			fmt.Fprintf(w, "  waiting  nothing\n")
		} else {
			fmt.Fprintf(w, "  waiting  %d collections in %d octets, the oldest since %s (%v)\n", out.Waiting, out.Octets,
				out.Oldest.UTC().Format(time.RFC3339), time.Since(out.Oldest).Round(time.Second))
		}
		if out.Gaps > 0 {
			fmt.Fprintf(w, "  dropped  %d collections, which will never be sent\n", out.Gaps)
		}
		if out.Stopped != "" {
			fmt.Fprintf(w, "  stopped  %s\n", out.Stopped)
		}
		if out.Damage != nil {
			fmt.Fprintf(w, "  damaged  %v\n", out.Damage)
		}
	}
	return nil
}

// writeSpoolJSON writes it for programs.
func writeSpoolJSON(w io.Writer, folder string, st *spool.Status) error {
	type outlet struct {
		Name, To   string
		Next       uint64
		Waiting    int
		Octets     int64
		LagSeconds float64
		Dropped    uint64
		Stopped    string `json:",omitempty"`
		Damage     string `json:",omitempty"`
	}
	all := struct {
		Folder      string
		Collections int
		Octets      int64
		Outlets     []outlet
	}{folder, st.Segments, st.Octets, []outlet{}}
	for _, o := range st.Outlets {
		to := outlet{Name: o.Name, To: o.To, Next: o.Next, Waiting: o.Waiting, Octets: o.Octets, Dropped: o.Gaps, Stopped: o.Stopped}
		if o.Waiting > 0 {
			to.LagSeconds = time.Since(o.Oldest).Seconds()
		}
		if o.Damage != nil {
			to.Damage = o.Damage.Error()
		}
		all.Outlets = append(all.Outlets, to)
	}
	return json.NewEncoder(w).Encode(all)
}
