package schema

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/reader/record"
)

// Parquet returns the schema of files of flows, as tools for Parquet write it. A flow has
// those of the optional columns that it has saved.
func Parquet() string { return message("flows", record.Columns(), record.Key()) }

// ParquetOfCollections returns that of files of collections.
func ParquetOfCollections() string {
	return message("collections", record.OfCollection(), record.KeyOfCollection())
}

func message(name string, columns []record.Column, key []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "message %s {\n", name)
	for _, c := range columns {
		repetition := "optional"
		if slices.Contains(key, c.Name) {
			repetition = "required"
		}
		fmt.Fprintf(&b, "\t%s %s;\n", repetition, parquetField(c))
	}
	// Whole microseconds, for programs that know no finer ones.
	b.WriteString("\trequired int64 IntervalEnd (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));\n}")
	return b.String()
}

func parquetField(c record.Column) string {
	switch c.Type {
	case "string":
		return "binary " + c.Name + " (STRING)"
	case "json":
		return "binary " + c.Name + " (JSON)"
	}
	bits := strings.TrimLeft(c.Type, "uint")
	physical := "int32"
	if bits == "64" {
		physical = "int64"
	}
	return fmt.Sprintf("%s %s (INT(%s,%t))", physical, c.Name, bits, c.Type[0] == 'i')
}
