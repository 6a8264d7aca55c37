package table

import (
	"math"
	"strconv"
	"time"
)

// Show returns what people read of a value in a column of kind k: that with its unit.
func (k Kind) Show(v Value) string {
	return k.cell(v, &Options{}, &timeForm{layout: time.RFC3339, zone: time.UTC})
}

// cell returns what people read of a value in a column of some kind.
func (k Kind) cell(v Value, o *Options, times *timeForm) string {
	switch {
	case v.form == nothing:
		return "-"
	case v.form == isText:
		return escape(v.text)
	case k == Time:
		return times.show(v.ns())
	case o.Exact && k == Duration:
		return seconds(v.ns())
	case o.Exact:
		return v.Exact()
	}
	switch k {
	case Count:
		return grouped(v)
	case Octets:
		return scaled(v, "B")
	case BitRate:
		return scaled(v, "bit/s")
	case PacketRate:
		return scaled(v, "pps")
	case Duration:
		return duration(v.ns())
	case Percent:
		return strconv.FormatFloat(v.float(), 'f', 1, 64) + "%"
	}
	return v.Exact()
}

// unit returns what stands in the header when the cells have no units.
func (k Kind) unit() string {
	switch k {
	case Octets:
		return "B"
	case BitRate:
		return "bit/s"
	case PacketRate:
		return "pps"
	case Duration:
		return "s"
	case Percent:
		return "%"
	}
	return ""
}

// grouped returns a number with commas between thousands: 1,234,567. Of a real
// number it has three digits at least.
func grouped(v Value) string {
	digits := v.Exact()
	if v.form == isFloat {
		digits = significant(v.float())
	}
	start := 0
	if digits[0] == '-' {
		start = 1
	}
	end := start
	for end < len(digits) && digits[end] != '.' && digits[end] != 'e' {
		end++
	}
	out := make([]byte, 0, len(digits)+len(digits)/3)
	for i := range len(digits) {
		if i > start && i < end && (end-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, digits[i])
	}
	return string(out)
}

// prefixes are those of decimal units (SI).
var prefixes = [...]string{"", "k", "M", "G", "T", "P", "E", "Z", "Y"}

// exactBelow is where units get prefixes: smaller whole numbers show all digits.
const exactBelow = 10000

// scaled returns a number with three digits and a prefix before its unit, or with all
// its digits if it is small.
func scaled(v Value, unit string) string {
	x := v.float()
	p := 0
	if math.Abs(x) >= exactBelow {
		// A number that would be rounded to 1000 has the next prefix.
		for p < len(prefixes)-1 && math.Abs(x) >= 999.5 {
			x /= 1000
			p++
		}
	}
	if p == 0 {
		return grouped(v) + " " + unit
	}
	return significant(x) + " " + prefixes[p] + unit
}

// significant returns x with three digits, with more if it is 1000 or greater, and
// with two behind the point if it is small.
func significant(x float64) string {
	digits := 0
	switch a := math.Abs(x); {
	case a == 0:
	case a < 9.995:
		digits = 2
	case a < 99.95:
		digits = 1
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// duration returns ns in the two units that say most.
func duration(ns int64) string {
	if ns < 0 {
		if ns == math.MinInt64 {
			ns++
		}
		return "-" + duration(-ns)
	}
	d := time.Duration(ns)
	switch {
	case d == 0:
		return "0 s"
	case d < time.Microsecond:
		return strconv.FormatInt(ns, 10) + " ns"
	case d < 999500*time.Nanosecond:
		return significant(float64(ns)/1e3) + " µs"
	case d < 999500*time.Microsecond:
		return significant(float64(ns)/1e6) + " ms"
	case d < 59950*time.Millisecond:
		return significant(float64(ns)/1e9) + " s"
	case d < time.Hour-time.Second/2:
		return two(d.Round(time.Second), time.Minute, "m", time.Second, "s")
	case d < 24*time.Hour-time.Minute/2:
		return two(d.Round(time.Minute), time.Hour, "h", time.Minute, "m")
	}
	return two(d.Round(time.Hour), 24*time.Hour, "d", time.Hour, "h")
}

// two returns d as so many of a large unit and what remains as two digits of a small
// one.
func two(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	rest := strconv.Itoa(int(d % large / small))
	if len(rest) < 2 {
		rest = "0" + rest
	}
	return strconv.Itoa(int(d/large)) + largeName + rest + smallName
}

// seconds returns all digits of ns in seconds.
func seconds(ns int64) string {
	sign, u := "", uint64(ns)
	if ns < 0 {
		sign, u = "-", -u
	}
	s := sign + strconv.FormatUint(u/1e9, 10)
	if rest := u % 1e9; rest != 0 {
		digits := strconv.FormatUint(1e9+rest, 10)[1:]
		for digits[len(digits)-1] == '0' {
			digits = digits[:len(digits)-1]
		}
		s += "." + digits
	}
	return s
}

// A timeForm is how the times of one table are shown: without what all of them share.
type timeForm struct {
	layout string
	zone   *time.Location
	date   string // what stands in the title, "" if the cells have dates
}

// timesOf looks at all times of a table: cells have the date if there are several, and
// thousandths if not all are whole seconds.
func timesOf(t *Table, o *Options) *timeForm {
	f := &timeForm{zone: o.Zone}
	if f.zone == nil {
		f.zone = time.UTC
	}
	first, dates, whole := "", false, true
	t.eachRow(func(row []Value) {
		for i, c := range t.Columns {
			v := at(row, i)
			if c.Kind != Time || !v.IsNumber() {
				continue
			}
			day := time.Unix(0, v.ns()).In(f.zone).Format("2006-01-02 MST")
			if first == "" {
				first = day
			}
			dates = dates || day != first
			whole = whole && v.ns()%1e9 == 0
		}
	})
	switch f.layout = time.TimeOnly; {
	case o.Exact:
		f.layout = time.RFC3339Nano
		return f
	case !whole:
		f.layout += ".000"
	}
	if dates {
		f.layout = "2006-01-02 " + f.layout
		f.date = first[len("2006-01-02 "):]
	} else {
		f.date = first
	}
	if t.Dated {
		f.date = ""
	}
	return f
}

func (f *timeForm) show(ns int64) string { return time.Unix(0, ns).In(f.zone).Format(f.layout) }
