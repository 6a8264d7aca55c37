package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// tellRisks tells how the stream could lose what it has acknowledged.
func (p *publisher) tellRisks(ctx context.Context, info *jetstream.StreamInfo) {
	if info.Config.Storage != jetstream.FileStorage {
		p.note("stream %s is in memory: what was acknowledged is lost with its servers", p.stream)
		return
	}
	if info.Config.PersistMode == jetstream.AsyncPersistMode {
		p.note("stream %s acknowledges messages before it writes them (persist_mode async)", p.stream)
	}
	if len(p.monitors) == 0 {
		p.note("NATS does not tell whether stream %s is synced at each message (sync_interval: always); ?monitor=HOST:8222 asks its servers", p.stream)
	}
	for _, address := range p.monitors {
		sync, err := askSync(ctx, address)
		switch {
		case err != nil:
			p.note("whether stream %s is synced at each message is not known: %v", p.stream, err)
		case sync != "":
			p.note("stream %s is not synced at each message: %s has sync_interval %s, not always: a power failure loses what was acknowledged", p.stream, address, sync)
		}
	}
}

// askSync asks a server's monitoring how often it syncs, and returns "" for always.
func askSync(ctx context.Context, address string) (string, error) {
	if !strings.Contains(address, ":") {
		address += ":8222"
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/varz", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	return parseSync(address, text)
}

// parseSync returns how often a server syncs, of what its monitoring tells.
func parseSync(address string, varz []byte) (string, error) {
	var told struct {
		JetStream struct {
			Config *struct {
				Interval time.Duration `json:"sync_interval"`
				Always   bool          `json:"sync_always"`
			}
		}
	}
	if err := json.Unmarshal(varz, &told); err != nil {
		return "", fmt.Errorf("%s/varz: %w", address, err)
	}
	config := told.JetStream.Config
	switch {
	case config == nil:
		return "", fmt.Errorf("%s/varz tells nothing of JetStream", address)
	case config.Always:
		return "", nil
	}
	return config.Interval.String(), nil
}
