package acceptance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// TestBrowser looks at the page of `rtfm view` in Chromium: see testdata/browser. What
// it uses for that comes from npm, in the versions and with the hashes that
// package-lock.json names. With RTFM_UPDATE set in the environment the README's picture
// is taken anew.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in a browser")
	}
	// Not beside other tests: a browser takes all processors from them.
	chromium, node, npm := tracetest.Require(t, "chromium"), tracetest.Require(t, "node"), tracetest.Require(t, "npm")
	program, err := exec.LookPath("rtfm")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("cmd/acceptance/testdata/browser")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		tracetest.Missing(t, "npm", err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	picture := "" // the README's, written if it is to be
	if os.Getenv("RTFM_UPDATE") != "" {
		picture = filepath.Join(root, "docs/view.png")
	}
	cmd := exec.Command(node, "--test", "--test-timeout=180000")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RTFM="+program, "CHROMIUM="+chromium, "FOLDER="+t.TempDir(), "PICTURE="+picture,
		"SAMPLE="+filepath.Join(root, "traces/testdata/sample.pcap"), "EXAMPLES="+filepath.Join(root, "ruleset/examples"))
	p := startBeside(t, cmd)
	select {
	case <-p.ended:
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
	if p.err != nil {
		t.Errorf("%v", p.err) // what it printed is logged
	}
}
