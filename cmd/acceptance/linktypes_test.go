package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestLinkTypes meters a trace of a link type for private use as what it is.
func TestLinkTypes(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "user.pcap")
	ip := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(999, 2055))
	ip[0].Data, ip[0].Wire, ip[0].Link = ip[0].Data[14:], ip[0].Wire-14, traces.LinkType(147)
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, ip...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, out, errs string
		status          int
	}{
		{"", "\n1 1 0  0 0  1 0", "1 packets of link type USER0, which is not decoded", 0},
		{"--link-type USER0=RAW", "\n1 1 0  1 1  1 0", "", 0},
		{"--link-type user0=101 --link-type 148=ETHERNET", "\n1 1 0  1 1  1 0", "", 0},
		{"--link-type USER0", "", "want TYPE=TYPE, such as USER0=RAW", 1},
		{"--link-type USER0=USER1", "", "packets of link type USER1 are not decoded", 1},
		{"--link-type USER0=RAW --link-type USER0=PPP", "", "link type USER0 is RAW already", 1},
		{"--link-type USER77=RAW", "", `"USER77" is no link type`, 1},
	} {
		var out, errs bytes.Buffer
		status := runMain(append([]string{"run", "--nemac", trace}, strings.Fields(c.args)...), nil, &out, &errs)
		if status != c.status || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.errs) || c.errs == "" && strings.Contains(errs.String(), "decoded") {
			t.Errorf("%q: status %d, %s%s", c.args, status, &out, &errs)
		}
	}
	var errs bytes.Buffer
	if status := runMain([]string{"run", "-i", "lo", "--link-type", "1=RAW"}, nil, &errs, &errs); status != 1 || !strings.Contains(errs.String(), "--link-type is for traces") {
		t.Errorf("status %d, %s", status, &errs)
	}
}
