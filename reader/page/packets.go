package page

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// PacketsOf writes the packets of a flow to w as a trace, pcapng, of no more octets than
// memory has room for. Row is the flow, an object of JSON as rows of tables are. The
// verdict says whether they are all. An error is the row's fault, or the store's.
type PacketsOf func(ctx context.Context, w io.Writer, row []byte) (verdict string, err error)

// verdictHeader is the header that has the verdict of packets.
const verdictHeader = "Rtfm-Verdict"

// offers tells what there is beside numbers.
func (p *Page) offers(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]bool{"packets": p.cfg.Packets != nil})
}

// packets sends those of a flow. They are found before anything is sent, so that what is
// sent is whole, for one viewer at a time.
func (p *Page) packets(w http.ResponseWriter, r *http.Request) {
	if p.cfg.Packets == nil {
		http.NotFound(w, r)
		return
	}
	if !p.fetching.TryLock() {
		http.Error(w, "packets are being looked for, for another viewer: try again", http.StatusServiceUnavailable)
		return
	}
	defer p.fetching.Unlock()
	out := http.NewResponseController(w)
	out.SetWriteDeadline(time.Time{}) // it takes as long as the viewer waits
	var b bytes.Buffer
	verdict, err := p.cfg.Packets(r.Context(), &b, []byte(r.URL.Query().Get("row")))
	if err != nil {
		out.SetWriteDeadline(time.Now().Add(p.patience))
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="flow.pcapng"`)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set(verdictHeader, verdict)
	for b.Len() > 0 {
		out.SetWriteDeadline(time.Now().Add(p.patience))
		if _, err := w.Write(b.Next(1 << 16)); err != nil {
			return
		}
	}
}
