// Man writes the manual pages of rtfm, in mdoc: one for each command, made of what
// its help tells, and those of the languages and files, made of the documents that
// describe them.
//
//	go run ./packaging/man FOLDER
//
// It runs at the root of the repository. The pages bear the date of the environment's
// SOURCE_DATE_EPOCH, in seconds since 1970, or today's.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rtfm/cmd"
)

// A document is one in Markdown that a page is made of.
type document struct {
	path, name, section, about string
}

// documents are those that have pages, in the order of their sections.
var documents = []document{
	{"reader/flowfile/FORMAT.md", "rtfm-flows", "5", "flow data files"},
	{"manager/CONFIG.md", "rtfm.yaml", "5", "configuration of rtfm manager"},
	{"docs/COOKBOOK.md", "rtfm-cookbook", "7", "questions about networks, and commands that answer them"},
	{"ruleset/DISTRIBUTIONS.md", "rtfm-distributions", "7", "distributions in flows"},
	{"ruleset/FILTER.md", "rtfm-filter", "7", "filters of packets, in tcpdump's words or SRL's"},
	{"ruleset/MATCHING.md", "rtfm-matching", "7", "how packets find their flows"},
	{"ruleset/SRL.md", "rtfm-srl", "7", "the Simple Ruleset Language"},
	{"ruleset/TUTORIAL.md", "rtfm-tutorial", "7", "a ruleset of your own in fifteen minutes"},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want a folder for the pages")
	}
	date, err := pageDate()
	if err != nil {
		return err
	}
	all, err := pages(".", date)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pageDate returns the date that pages bear, as mdoc wants it.
func pageDate() (string, error) {
	at := time.Now()
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		at = time.Unix(seconds, 0)
	}
	return at.UTC().Format("January 2, 2006"), nil
}

// pages returns all pages by their file names; root is the root of the repository.
func pages(root, date string) (map[string]string, error) {
	all := make(map[string]string)
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		if c.HasParent() && !c.IsAvailableCommand() {
			return
		}
		all[pageName(c)+".1"] = commandPage(date, c).String()
		for _, below := range c.Commands() {
			add(below)
		}
	}
	add(cmd.Program())
	for _, d := range documents {
		source, err := os.ReadFile(filepath.Join(root, d.path))
		if err != nil {
			return nil, err
		}
		p, err := documentPage(date, d, source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.path, err)
		}
		all[d.name+"."+d.section] = p.String()
	}
	return all, nil
}
