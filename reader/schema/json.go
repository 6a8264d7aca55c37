package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// JSON returns the JSON Schema (draft 2020-12) of what exporters that send JSON send: a
// flow or a collection.
func JSON() []byte {
	var b bytes.Buffer
	b.WriteString(`{"$schema":"https://json-schema.org/draft/2020-12/schema",` +
		`"title":"rtfm, schema ` + strconv.Itoa(record.Schema) + `",` +
		`"anyOf":[{"$ref":"#/$defs/flow"},{"$ref":"#/$defs/collection"}],"$defs":{"flow":`)
	object(&b, record.Columns(), []string{"Schema", "Meter", "FlowIndex", "IntervalEndNs"})
	b.WriteString(`,"collection":`)
	object(&b, record.OfCollection(), []string{"Schema", "Meter", "IntervalEndNs", "Flows"})
	b.WriteString("}}")
	var out bytes.Buffer
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		panic(err) // of what this file has written
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// property is what is told of a column.
type property struct {
	Description string `json:"description"`
	Type        any    `json:"type"`
	Minimum     *int64 `json:"minimum,omitempty"`
	Maximum     uint64 `json:"maximum,omitempty"`
}

func object(b *bytes.Buffer, columns []record.Column, required []string) {
	b.WriteString(`{"type":"object","properties":{`)
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(propertyOf(c))
		if err != nil {
			panic(err) // strings and numbers are never refused
		}
		b.WriteString(strconv.Quote(c.Name) + ":" + string(text))
	}
	names, _ := json.Marshal(required) // as above
	b.WriteString(`},"required":` + string(names) + "}")
}

func propertyOf(c record.Column) property {
	p := property{Description: describe(c)}
	switch {
	case isMask(c):
		p.Type = []string{"integer", "string"}
	case c.Name == attr.CommunityID.String():
		p.Type = []string{"string", "null"}
	case c.Type == "string":
		p.Type = "string"
	case c.Type == "json":
		p.Type = "object"
	default:
		p.Type = "integer"
		if isDelta(c) {
			p.Type = []string{"integer", "null"}
		}
		if bits, unsigned := strings.CutPrefix(c.Type, "uint"); unsigned {
			n, _ := strconv.Atoi(bits) // of this program
			p.Minimum, p.Maximum = new(int64), 1<<n-1
		}
	}
	return p
}
