package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// appendTo appends text to a file, a piece at a time.
func appendTo(t *testing.T, path string, text []byte, piece int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for len(text) > 0 {
		n := min(piece, len(text))
		if _, err := f.Write(text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
}

// TestTopGrows watches flow data of both forms that grows, ends within a collection,
// loses that as it does when its reader is killed, and makes room for another file: each
// collection is shown once.
func TestTopGrows(t *testing.T) {
	t.Parallel()
	const sample = "traces/testdata/sample.pcap"
	for form, end := range map[string]string{"--json": `{"record":"end"`, "--nemac": "#EndData"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			text := outputOf(t, "run", "-q", form, "-T", "60", "-r", "@conversations", sample).Bytes()
			other := outputOf(t, "run", "-q", form, "-T", "60", "-r", "@conversations", "--name", "another", sample, "net 192.0.2.0/24").Bytes()
			path := filepath.Join(t.TempDir(), "flows")
			appendTo(t, path, nil, 1)
			top := startBeside(t, exec.Command("rtfm", "top", "--json", path))
			shown := func(intervals, packets int) {
				t.Helper()
				top.wait(20*time.Second, func(string) bool { return len(topPrinted(t, top)) >= intervals })
				if n, _ := topPackets(t, top); n != packets || len(topPrinted(t, top)) != intervals {
					t.Fatalf("%d intervals, %d packets; want %d, %d", len(topPrinted(t, top)), n, intervals, packets)
				}
			}
			last := bytes.LastIndex(text, []byte(end))
			before := bytes.LastIndex(text[:last], []byte(end))
			before += bytes.IndexByte(text[before:], '\n') + 1
			appendTo(t, path, text[:last], 1000)
			shown(4, packetsOf(t, text[:before]))
			if err := os.Truncate(path, int64(before)); err != nil {
				t.Fatal(err)
			}
			top.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "the file was begun anew") })
			appendTo(t, path, text[before:], 7000)
			shown(5, 2028)
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
			top.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "the file is gone") })
			appendTo(t, path, other, len(other))
			shown(10, 2028+packetsOf(t, other))
			top.endLive()
		})
	}
}

// packetsOf returns how many packets flow data has, by flows of rtfm.
func packetsOf(t *testing.T, text []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flows")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	runMain([]string{"flows", "top", "--by", "FlowRuleSet", "--csv", path}, nil, &out, &out)
	fields := strings.Split(out.String(), "\n")
	if len(fields) < 2 {
		t.Fatal(out.String())
	}
	for i, name := range strings.Split(fields[0], ",") {
		if name == "PDUs" {
			n, err := strconv.Atoi(strings.Split(fields[1], ",")[i])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal(out.String())
	return 0
}

// TestTopEvil watches evil meters: what is wrong is told, in little memory, and no sum
// is made of it.
func TestTopEvil(t *testing.T) {
	t.Parallel()
	for mode, complains := range evilModes {
		if complains == "" || mode == "boots" || mode == "endless" {
			continue // such a meter may be; or it has as many flows as it may
		}
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("rtfm", "top", "--json", "-T", "0.2", newEvil(t, mode))
			cmd.Env = append(os.Environ(), "RTFM_COMMUNITY="+hushed)
			top := runBeside(t, cmd, func(out string) bool { return strings.Contains(out, complains) }, 20*time.Second)
			within(t, mode, top.cmd.Process, mostMemory)
			top.endLive()
			if n := len(topPrinted(t, top)); n != 0 || strings.Contains(top.printed(), hushed) {
				t.Errorf("%d intervals are shown", n)
			}
		})
	}
}
