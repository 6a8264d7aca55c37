package clickhouse

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// TestWriteRow: values are as columns want them.
func TestWriteRow(t *testing.T) {
	for row, want := range map[string]string{
		`{"Schema":1,"Meter":"a\"b,\\"}`:                                                                    `{"Schema":1,"Meter":"a\"b,\\"}`,
		`{"SourcePeerMask":24,"DestPeerMask":"255.0.255.0","SourcePeerMaskX":3}`:                            `{"SourcePeerMask":"24","DestPeerMask":"255.0.255.0","SourcePeerMaskX":3}`,
		`{"ToSizeStats":{"n":1,"seen":"A \"B\"","delta":null,"l":[1,[2]]},"ToOctets":18446744073709551615}`: `{"ToSizeStats":"{\"n\":1,\"seen\":\"A \\\"B\\\"\",\"delta\":null,\"l\":[1,[2]]}","ToOctets":18446744073709551615}`,
		`{"CommunityID":null,"DeltaToOctets":null,"X":null}`:                                                `{"DeltaToOctets":null}`,
	} {
		var got bytes.Buffer
		if err := writeRow(&got, []byte(row)); err != nil || got.String() != want+"\n" || !json.Valid(got.Bytes()) {
			t.Errorf("%s becomes %v\n%s\nwant\n%s", row, err, &got, want)
		}
	}
	for _, row := range []string{"", "{", "{}", "[1]", `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1}x`, `{a:1}`, `{"a":null}`, `{"a":1,}`, `{"a:1}`} {
		if err := writeRow(new(bytes.Buffer), []byte(row)); err == nil {
			t.Errorf("%s is taken", row)
		}
	}
}

// FuzzWriteRow: what is made of JSON is JSON of the same members.
func FuzzWriteRow(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"}"]},"SourcePeerMask":24,"c":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var plain bytes.Buffer
		var was map[string]json.RawMessage
		if !utf8.Valid(text) || json.Compact(&plain, text) != nil || json.Unmarshal(text, &was) != nil {
			writeRow(new(bytes.Buffer), text) // not ours: it must end
			return
		}
		if same, err := json.Marshal(was); err != nil || len(same) != plain.Len() {
			return // two members of the same name
		}
		var got bytes.Buffer
		if writeRow(&got, plain.Bytes()) != nil {
			for name, v := range was {
				if string(v) != "null" {
					t.Errorf("%q: %s is not taken", name, &plain)
				}
			}
			return
		}
		var is map[string]json.RawMessage
		if err := json.Unmarshal(got.Bytes(), &is); err != nil {
			t.Fatalf("%s becomes %s: %v", &plain, &got, err)
		}
		for name, v := range is {
			var quoted string
			var before bytes.Buffer
			json.Compact(&before, was[name])
			if v[0] == '"' && before.Bytes()[0] != '"' {
				if json.Unmarshal(v, &quoted) != nil || quoted != before.String() {
					t.Errorf("%q: %s becomes %s", name, &before, v)
				}
			} else if !bytes.Equal(v, before.Bytes()) {
				t.Errorf("%q: %s becomes %s", name, &before, v)
			}
		}
	})
}
