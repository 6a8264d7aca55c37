// Package otlp sends collections to collectors of OpenTelemetry, as records of logs: OTLP
// 1.0 over HTTP, in JSON. What flows are to be called there is not settled, so attributes
// bear the names of columns.
package otlp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"rtfm/reader/export"
	"rtfm/reader/httppost"
)

// exporter is an export.Exporter.
type exporter struct{ *httppost.Client }

// New returns an exporter to a target with one host.
func New(t *export.Target) (export.Exporter, error) {
	scheme := map[string]string{"otlp": "http", "otlps": "https"}[t.Scheme]
	c, err := httppost.NewClient(t, scheme+"://"+t.Hosts[0]+"/"+cmp.Or(t.Path, "v1/logs"), "application/json", 1000)
	if err != nil {
		return nil, err
	}
	return &exporter{c}, nil
}

// Send implements export.Exporter: requests of some flows each, and behind them one of the
// collection's own row.
func (e *exporter) Send(ctx context.Context, c *export.Collection) error {
	row, err := c.Row()
	if err != nil {
		return err
	}
	meter, err := meterOf(row)
	if err != nil {
		return err
	}
	write := func(to *bytes.Buffer, row []byte) error { return appendRecord(to, "flow", row) }
	if err := c.Parts(e.Rows, write, func(part []byte) error { return e.post(ctx, meter, part) }); err != nil {
		return err
	}
	return e.sendOwn(ctx, row)
}

// Gap implements export.Exporter.
func (e *exporter) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return e.sendOwn(ctx, row)
}

// sendOwn sends the row of a collection.
func (e *exporter) sendOwn(ctx context.Context, row []byte) error {
	meter, err := meterOf(row)
	if err != nil {
		return err
	}
	var record bytes.Buffer
	if err := appendRecord(&record, "collection", row); err != nil {
		return err
	}
	return e.post(ctx, meter, record.Bytes())
}

// meterOf returns the Meter of a row, as JSON.
func meterOf(row []byte) (meter []byte, err error) {
	meter = []byte(`""`)
	err = export.Fields(row, func(name, text []byte) error {
		if string(name) == "Meter" {
			meter = bytes.Clone(text)
		}
		return nil
	})
	if err != nil {
		return nil, export.Refuse(err)
	}
	return meter, nil
}

// appendRecord appends a row as a LogRecord (opentelemetry/proto/logs/v1/logs.proto) with a
// comma behind it. Numbers of 64 bits are strings in JSON, and have a sign.
func appendRecord(to *bytes.Buffer, kind string, row []byte) error {
	end := []byte("0")
	to.WriteString(`{"eventName":"rtfm.` + kind + `","severityNumber":9,"body":{"stringValue":"` + kind + `"},"attributes":[`)
	first := true
	err := export.Fields(row, func(name, text []byte) error {
		value := ""
		switch c := text[0]; {
		case c == '"':
			value = `{"stringValue":` + string(text) + `}`
		case c == '{', c == '[':
			quoted, err := json.Marshal(string(text))
			if err != nil {
				return err
			}
			value = `{"stringValue":` + string(quoted) + `}`
		case c == '-' || c >= '0' && c <= '9':
			if _, err := strconv.ParseInt(string(text), 10, 64); err != nil {
				return fmt.Errorf("column %s: %s is no number that OTLP has: it ends at 2^63-1", name, text)
			}
			value = `{"intValue":"` + string(text) + `"}`
		default: // null
			return nil
		}
		if string(name) == "IntervalEndNs" {
			end = bytes.Clone(text)
		}
		if !first {
			to.WriteByte(',')
		}
		first = false
		to.WriteString(`{"key":"` + string(name) + `","value":` + value + `}`)
		return nil
	})
	if err != nil {
		return export.Refuse(err)
	}
	// The same each time it is sent, so no time of now.
	to.WriteString(`],"timeUnixNano":"` + string(end) + `","observedTimeUnixNano":"` + string(end) + `"},`)
	return nil
}

// post posts records, each with a comma behind it, as an ExportLogsServiceRequest.
func (e *exporter) post(ctx context.Context, meter, records []byte) error {
	var body bytes.Buffer
	body.WriteString(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"rtfm"}},` +
		`{"key":"service.instance.id","value":{"stringValue":`)
	body.Write(meter)
	body.WriteString(`}}]},"scopeLogs":[{"scope":{"name":"rtfm"},"logRecords":[`)
	body.Write(bytes.TrimSuffix(records, []byte(",")))
	body.WriteString(`]}]}]}`)
	resp, answer, err := e.Post(ctx, body.Bytes())
	if err != nil {
		return err
	}
	return outcome(resp, answer)
}

// outcome returns what an answer means, nil if all records were taken (OTLP specification,
// OTLP/HTTP response).
func outcome(resp *http.Response, answer []byte) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return partial(answer)
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return httppost.Failure(resp, answer)
	}
	return export.Refuse(httppost.Failure(resp, answer))
}

// partial returns an error if an answer tells of records that were not taken. They are not
// to be sent again.
func partial(answer []byte) error {
	if len(bytes.TrimSpace(answer)) == 0 {
		return nil
	}
	var told struct {
		PartialSuccess struct {
			RejectedLogRecords any // a string as JSON has 64 bits, or a number
			ErrorMessage       string
		}
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return errors.New("200 OK, but the answer is not that of a collector")
	}
	switch fmt.Sprint(told.PartialSuccess.RejectedLogRecords) {
	case "<nil>", "0", "":
		return nil
	}
	return export.Refuse(fmt.Errorf("the collector has rejected %v records: %.300q", told.PartialSuccess.RejectedLogRecords, told.PartialSuccess.ErrorMessage))
}
