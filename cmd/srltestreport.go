package cmd

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"rtfm/meter/testfile"
)

// testReport tells what came of tests.
type testReport struct {
	w              io.Writer
	verbose        bool
	passed, failed int
	suites         []junitSuite
}

// The elements of JUnit's XML.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		File    string      `xml:"file,attr"`
		Line    int         `xml:"line,attr,omitempty"`
		Failure *junitFault `xml:"failure"`
		Error   *junitFault `xml:"error"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// add tells what came of the tests of a file, of which err says why they were not
// all run.
func (t *testReport) add(name string, results []*testfile.Result, err error) {
	suite := junitSuite{Name: name}
	for _, r := range results {
		c := junitCase{Class: name, Name: r.Test.Name, File: name, Line: r.Test.Line}
		suite.Tests++
		switch {
		case r.Err != nil:
			suite.Errors++
			c.Error = &junitFault{r.Err.Error(), ""}
			fmt.Fprintf(t.w, "%s:%d: FAIL: %s\n  %v\n", name, r.Test.Line, r.Test.Name, r.Err)
		case r.Failed():
			suite.Failures++
			c.Failure = &junitFault{fmt.Sprintf("%s:%d: other flows than expected", name, r.Line), r.Diff}
			fmt.Fprintf(t.w, "%s:%d: FAIL: %s\n%s", name, r.Line, r.Test.Name, indented(r.Diff))
		case t.verbose:
			fmt.Fprintf(t.w, "%s:%d: ok: %s\n", name, r.Test.Line, r.Test.Name)
		}
		suite.Cases = append(suite.Cases, c)
	}
	t.failed += suite.Failures + suite.Errors
	t.passed += suite.Tests - suite.Failures - suite.Errors
	if err != nil {
		suite.Tests, suite.Errors, t.failed = suite.Tests+1, suite.Errors+1, t.failed+1
		suite.Cases = append(suite.Cases, junitCase{Class: name, Name: "(the file)", File: name, Error: &junitFault{Message: err.Error()}})
	}
	t.suites = append(t.suites, suite)
}

// indented returns lines with two blanks in front of each.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// end tells what came of all, and fails if a test has.
func (t *testReport) end() error {
	switch {
	case t.failed > 0:
		fmt.Fprintf(t.w, "FAIL: %d of %d tests\n", t.failed, t.failed+t.passed)
		return &exitError{status: StatusFailed}
	case t.passed == 0:
		return errors.New("there are no such tests")
	}
	fmt.Fprintf(t.w, "ok: %d tests\n", t.passed)
	return nil
}

// junit writes the results for programs.
func (t *testReport) junit(w io.Writer) error {
	all := junitSuites{Suites: t.suites}
	for i := range t.suites {
		s := &t.suites[i]
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(&all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
