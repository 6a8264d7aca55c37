package otlp

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
	"rtfm/reader/httppost"
)

// newExporter returns an exporter to a server that answers with a status and a text, and
// where what it was sent goes to.
func newExporter(t *testing.T, status *int, answer *string) (export.Exporter, *[]string) {
	t.Helper()
	got := new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %s %s %v", err, r.Method, r.URL, r.Header)
		}
		*got = append(*got, string(body))
		w.WriteHeader(*status)
		io.WriteString(w, *answer)
	}))
	t.Cleanup(s.Close)
	target, scheme, err := export.Parse("otlp://"+strings.TrimPrefix(s.URL, "http://")+"?rows=2&compression=none",
		[]export.Scheme{{Name: "otlp", Hosts: true, Port: "4318", Options: httppost.Options, New: New}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := scheme.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e, got
}

// request is what a collector reads of a request.
type request struct {
	ResourceLogs []struct {
		Resource  struct{ Attributes []attribute }
		ScopeLogs []struct {
			LogRecords []struct {
				EventName, TimeUnixNano, ObservedTimeUnixNano string
				Attributes                                    []attribute
			}
		}
	}
}

type attribute struct {
	Key   string
	Value struct{ StringValue, IntValue string }
}

// TestSend: flows come in parts, the collection's row behind them, and the same each time.
func TestSend(t *testing.T) {
	status, answer := 200, "{}"
	e, got := newExporter(t, &status, &answer)
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	for range 2 {
		if err := e.Send(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if len(*got) != 6 || strings.Join((*got)[:3], "") != strings.Join((*got)[3:], "") {
		t.Fatalf("%q", *got)
	}
	for i, n := range []int{2, 1, 1} {
		var r request
		if err := json.Unmarshal([]byte((*got)[i]), &r); err != nil {
			t.Fatalf("%v: %s", err, (*got)[i])
		}
		resource, records := r.ResourceLogs[0].Resource.Attributes, r.ResourceLogs[0].ScopeLogs[0].LogRecords
		if len(records) != n || resource[1].Key != "service.instance.id" || resource[1].Value.StringValue != "m" {
			t.Errorf("%s", (*got)[i])
			continue
		}
		at, values := records[0], map[string]string{}
		for _, a := range at.Attributes {
			values[a.Key] = a.Value.StringValue + a.Value.IntValue
		}
		if at.EventName != []string{"rtfm.flow", "rtfm.flow", "rtfm.collection"}[i] || at.TimeUnixNano != "1000000000" || at.ObservedTimeUnixNano != at.TimeUnixNano ||
			values["Meter"] != "m" || i < 2 && values["ToOctets"] != "100" || i == 2 && values["Flows"] != "3" {
			t.Errorf("%s", (*got)[i])
		}
	}
	*got = nil
	if err := e.Gap(t.Context(), exporttest.Gap(t, 3, 5)); err != nil || len(*got) != 1 || !strings.Contains((*got)[0], `{"key":"DroppedFlows","value":{"intValue":"15"}}`) {
		t.Errorf("%v %q", err, *got)
	}
}

// TestAnswers: which are tried again, and which need a person.
func TestAnswers(t *testing.T) {
	status, answer := 200, ""
	e, _ := newExporter(t, &status, &answer)
	c := exporttest.Collections(t, exporttest.File(1, 1))[0]
	for _, test := range []struct {
		status  int
		answer  string
		refused bool
		want    string // "" if it was taken
	}{
		{200, "", false, ""},
		{200, `{"partialSuccess":{}}`, false, ""},
		{200, `{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"slow down"}}`, false, ""},
		{200, `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}`, true, `rejected 2 records: "too old"`},
		{200, `{"partialSuccess":{"rejectedLogRecords":2}}`, true, "rejected 2 records"},
		{200, "<html>", false, "not that of a collector"},
		{429, "later", false, "429 Too Many Requests: later"},
		{503, "", false, "503 Service Unavailable"},
		{500, `{"message":"no"}`, true, `500 Internal Server Error: {"message":"no"}`},
		{400, "", true, "400 Bad Request"},
		{204, "", true, "204 No Content"},
	} {
		status, answer = test.status, test.answer
		err := e.Send(t.Context(), c)
		var refusal *export.Refusal
		if test.want == "" && err == nil {
			continue
		}
		if err == nil || test.want == "" || errors.As(err, &refusal) != test.refused || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d %s: %v", test.status, test.answer, err)
		}
	}
	large := strings.NewReader(strings.Replace(readAll(t, exporttest.File(1, 1)), `"ToOctets":100`, `"ToOctets":9223372036854775808`, 1))
	err := e.Send(t.Context(), exporttest.Collections(t, large)[0])
	var refusal *export.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "column ToOctets: 9223372036854775808 is no number that OTLP has") {
		t.Errorf("2^63: %v", err)
	}
}

func readAll(t *testing.T, r io.Reader) string {
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
