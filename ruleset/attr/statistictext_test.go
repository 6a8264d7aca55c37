package attr

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// TestStatisticText reads what is written, and pins it.
func TestStatisticText(t *testing.T) {
	listed := make([]uint64, 1+MaxListed)
	listed[0], listed[1], listed[2] = 2, uint64(NewListed(1500, 0x12, 0, false)), uint64(NewListed(70_000, 0xff, math.MaxInt64, true))
	for _, tt := range []struct {
		form    Form
		numbers []uint64
		text    string
	}{
		{FormStats, []uint64{3, 210, 14900, 0, 60, 90}, "3:210:14900:60:90"},
		{FormStats, []uint64{1, 2, math.MaxUint64, math.MaxUint64, 0, 5}, "1:2:340282366920938463463374607431768211455:0:5"},
		{FormRange, []uint64{7, 63, 64}, "7:63:64"},
		{FormFlags, []uint64{0xff, 1, 2, 3, 4, 5, 6, 7, 8}, "255:1:2:3:4:5:6:7:8"},
		{FormCount, []uint64{math.MaxUint64}, "18446744073709551615"},
		{FormPackets, listed, "+1500.0.18:-65535.549755813887.255"},
		{FormPackets, make([]uint64, 1+MaxListed), "-"},
		{FormID, []uint64{0xfedcba9876543210}, "fedcba9876543210"},
		{FormDigest, []uint64{0, 0, 0}, "-"},
		{FormDigest, []uint64{0x0102030405060708, 0x090a0b0c0d0e0f10, 0x11121314}, "1:AQIDBAUGBwgJCgsMDQ4PEBESExQ="},
	} {
		if got := string(tt.form.AppendStatistic(nil, tt.numbers)); got != tt.text {
			t.Errorf("%d: have %q, want %q", tt.form, got, tt.text)
		}
		if got, err := tt.form.ParseStatistic([]uint64{9}, []byte(tt.text)); err != nil || !slices.Equal(got[1:], tt.numbers) {
			t.Errorf("%d: %q is read as %v, %v", tt.form, tt.text, got, err)
		}
	}
}

// TestStatisticTextFaults has texts that are none.
func TestStatisticTextFaults(t *testing.T) {
	for _, tt := range []struct {
		form       Form
		text, want string
	}{
		{FormStats, "", "want 5 numbers"},
		{FormStats, "1:2:3:4", "want 5 numbers"},
		{FormStats, "1:2:3:4:5:6", "want 5 numbers"},
		{FormStats, "1:2::4:5", "want a number"},
		{FormStats, "1:2:340282366920938463463374607431768211456:4:5", "want a number"},
		{FormStats, "18446744073709551616:2:3:4:5", "want a number"},
		{FormStats, "1:2:" + strings.Repeat("3", 1<<20) + ":4:5", "3...\": want a number"},
		{FormRange, "1:2:-3", "want a number"},
		{FormFlags, "256:0:0:0:0:0:0:0:0", `"256": flags are a number up to 255`},
		{FormCount, "1:2", "want 1 numbers"},
		{FormPackets, "", "want packets such as"},
		{FormPackets, "60.0.2", "want packets such as"},
		{FormPackets, "+60.0", "want packets such as"},
		{FormPackets, "+65536.0.2", "want packets such as"},
		{FormPackets, "+60.549755813888.2", "want packets such as"},
		{FormPackets, "+60.0.256", "want packets such as"},
		{FormPackets, "+60.0.2:", "want packets such as"},
		{FormPackets, strings.Repeat("+1.1.1:", MaxListed) + "+1.1.1", "more than 64 packets"},
		{FormID, "1f", "want 16 hexadecimal digits"},
		{FormID, "000000000000001g", "want 16 hexadecimal digits"},
		{FormDigest, "2:AQIDBAUGBwgJCgsMDQ4PEBESExQ=", "want 1: and 28 characters"},
		{FormDigest, "1:AQIDBAUGBwgJCgsMDQ4PEBESExR=", "want 20 octets as base64"},
	} {
		if _, err := tt.form.ParseStatistic(nil, []byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 200 {
			t.Errorf("%d: %.80q: %.300v; want %s", tt.form, tt.text, err, tt.want)
		}
	}
}

// FuzzStatisticText writes again what it has read.
func FuzzStatisticText(f *testing.F) {
	for form, text := range map[Form]string{
		FormStats: "3:210:340282366920938463463374607431768211455:60:90", FormRange: "7:63:64", FormFlags: "18:0:1:0:0:5:0:0:0", FormCount: "5",
		FormPackets: "+60.0.2:-60.812.18", FormID: "000000000000001f", FormDigest: "1:AQIDBAUGBwgJCgsMDQ4PEBESExQ=",
	} {
		f.Add(byte(form), []byte(text))
	}
	f.Fuzz(func(t *testing.T, form byte, text []byte) {
		of := FormStats + Form(form)%FormDigest
		numbers, err := of.ParseStatistic(nil, text)
		if err != nil {
			return
		}
		again := of.AppendStatistic(nil, numbers)
		if got, err := of.ParseStatistic(nil, again); err != nil || !slices.Equal(got, numbers) {
			t.Errorf("%q was %v, and as %q it is %v, %v", text, numbers, again, got, err)
		}
	})
}

// TestDeviation compares the way that flows mostly take with whole numbers of any size.
func TestDeviation(t *testing.T) {
	for _, values := range [][]uint64{
		{5, 5, 5}, {60, 90, 60}, {0, 1}, {math.MaxUint64, 0}, {1 << 40, 1<<40 + 1, 1<<40 + 2}, {1<<62 + 3, 1 << 62, 1<<62 + 7, 5},
	} {
		sum, squares := new(big.Int), new(big.Int)
		for _, v := range values {
			b := new(big.Int).SetUint64(v)
			squares.Add(squares, new(big.Int).Mul(b, b))
			sum.Add(sum, b)
		}
		low := new(big.Int).And(squares, new(big.Int).SetUint64(math.MaxUint64))
		stats := []uint64{uint64(len(values)), sum.Uint64(), low.Uint64(), new(big.Int).Rsh(squares, 64).Uint64(), 0, 0}
		if !sum.IsUint64() {
			t.Fatal("too much")
		}
		n := big.NewInt(int64(len(values)))
		above := new(big.Int).Sub(new(big.Int).Mul(n, squares), new(big.Int).Mul(sum, sum))
		want, _ := new(big.Rat).SetFrac(above, new(big.Int).Mul(n, new(big.Int).Sub(n, big.NewInt(1)))).Float64()
		want = math.Sqrt(want)
		if got, ok := Deviation(stats); !ok || math.Abs(got-want) > want*1e-15 {
			t.Errorf("%v: %v, want %v", values, got, want)
		}
		if squares.BitLen() < 120 && testing.AllocsPerRun(10, func() { Deviation(stats) }) != 0 {
			t.Errorf("%v: it allocates", values)
		}
	}
	if _, ok := Deviation([]uint64{1, 5, 25, 0, 5, 5}); ok {
		t.Error("one value deviates")
	}
}

// TestFlagText writes and reads all flags.
func TestFlagText(t *testing.T) {
	for flags, want := range map[uint8][2]string{0: {"", "........"}, 2: {"SYN", "......S."}, 0x1b: {"FIN SYN PSH ACK", "...AP.SF"}, 0xff: {"FIN SYN RST PSH ACK URG ECE CWR", "CEUAPRSF"}} {
		if FlagWords(flags) != want[0] || FlagLetters(flags) != want[1] {
			t.Errorf("%d: %q, %q", flags, FlagWords(flags), FlagLetters(flags))
		}
	}
	for f := range 256 {
		if got, err := ParseFlagWords(FlagWords(uint8(f))); err != nil || got != uint8(f) {
			t.Errorf("%d: %d, %v", f, got, err)
		}
	}
	if _, err := ParseFlagWords("SYN FIM"); err == nil {
		t.Error("FIM is a flag")
	}
}
