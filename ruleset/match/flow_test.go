package match

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/keyhash"
	"rtfm/ruleset/keyhash/keyhashtest"
)

func TestFlowKeyReverse(t *testing.T) {
	var shapes Shapes
	saved := []Saved{
		{attr.SourcePeerType, attr.Ones(1)}, {attr.SourcePeerAddress, attr.WidthMask(24, 20)}, {attr.DestTransAddress, attr.Ones(2)},
		{attr.SourceKind, attr.Ones(1)}, {attr.FlowClass, attr.Ones(1)}, {attr.DestSubscriberID, attr.Ones(20)}, {attr.SourceInterface, attr.Ones(2)},
	}
	k := FlowKey{Shape: shapes.Intern(3, 4, 0, saved)}
	set := func(a attr.Attr, b ...byte) { copy(k.Value(a), b) }
	set(attr.SourcePeerType, 1)
	set(attr.SourcePeerAddress, 192, 0, 2)
	set(attr.DestTransAddress, 0, 80)
	set(attr.SourceKind, 7)
	set(attr.FlowClass, 9)
	set(attr.DestSubscriberID, 'm', 'e')
	set(attr.SourceInterface, 0, 5)

	r := k.Reverse()
	for a, want := range map[attr.Attr]attr.Value{
		attr.SourcePeerType: attr.MakeValue(1), attr.DestPeerType: attr.MakeValue(0),
		attr.DestPeerAddress: attr.MakeValue(192, 0, 2, 0), attr.SourcePeerAddress: attr.MakeValue(0, 0, 0, 0),
		attr.SourceTransAddress: attr.MakeValue(0, 80), attr.DestTransAddress: attr.MakeValue(0, 0),
		attr.DestKind: attr.MakeValue(7), attr.SourceKind: attr.MakeValue(0), attr.FlowClass: attr.MakeValue(9),
		attr.SourceSubscriberID: attr.MakeValue('m', 'e').Resize(20), attr.DestInterface: attr.MakeValue(0, 5),
	} {
		if got := attr.MakeValue(r.Value(a)...); got != want {
			t.Errorf("%v of the reverse is %v, want %v", a, got, want)
		}
	}
	var attrs []attr.Attr
	for _, s := range r.Shape.Saved {
		attrs = append(attrs, s.Attr)
	}
	want := []attr.Attr{attr.SourcePeerType, attr.SourceTransAddress, attr.DestInterface, attr.DestPeerAddress, attr.SourceSubscriberID, attr.FlowClass, attr.DestKind}
	if !slices.Equal(attrs, want) {
		t.Errorf("the reverse saves %v, want %v", attrs, want)
	}
	if m, _ := r.Shape.Mask(attr.DestPeerAddress); m != attr.WidthMask(24, 4) {
		t.Errorf("mask %v", m)
	}
	if back := r.Reverse(); back != k {
		t.Errorf("reversed twice: %+v", back)
	}
}

func TestShapesAreUnique(t *testing.T) {
	var shapes Shapes
	a := shapes.Intern(1, 4, 6, []Saved{{attr.DestPeerAddress, attr.Ones(20)}, {attr.SourcePeerAddress, attr.WidthMask(8, 20)}, {attr.SourcePeerAddress, attr.WidthMask(32, 20)}})
	// The same in another order, with masks that differ where there is no value.
	if b := shapes.Intern(1, 4, 0, []Saved{{attr.SourcePeerAddress, attr.Ones(4)}, {attr.DestPeerAddress, attr.WidthMask(32, 20)}}); a != b {
		t.Errorf("%+v and %+v are two", a, b)
	}
	for _, other := range []*Shape{
		shapes.Intern(2, 4, 0, a.Saved), shapes.Intern(1, 16, 0, a.Saved), shapes.Intern(1, 4, 0, a.Saved[1:]),
	} {
		if other == a || other.ID == a.ID {
			t.Errorf("%+v is %+v", other, a)
		}
		if shapes.At(other.ID) != other {
			t.Errorf("%+v has a wrong ID", other)
		}
	}
}

// TestFlowKeyHash wants equal hashes of a key and its reverse, and different
// ones for keys that differ in one octet.
func TestFlowKeyHash(t *testing.T) {
	var shapes Shapes
	var saved []Saved
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			saved = append(saved, Saved{in.Attr, attr.Ones(in.Size)})
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	secret := keyhash.NewSecret()
	seen := make(map[uint32]bool)
	hash := func(k *FlowKey) {
		h := k.Hash(&secret)
		if rev := k.Reverse(); rev.Hash(&secret) != h {
			t.Fatalf("%+v: the reverse has another hash", k)
		}
		if seen[h] {
			t.Errorf("%+v: a hash that was there before", k)
		}
		seen[h] = true
	}
	for _, n := range []int{1, 3, len(saved)} {
		k := FlowKey{Shape: shapes.Intern(1, 16, 6, saved[len(saved)-n:])}
		for _, s := range k.Shape.Saved {
			for i := range k.Value(s.Attr) {
				k.Value(s.Attr)[i] = byte(r.Uint32())
			}
		}
		hash(&k)
		for _, s := range k.Shape.Saved {
			for i := range k.Value(s.Attr) {
				k.Value(s.Attr)[i]++
				hash(&k)
				k.Value(s.Attr)[i]--
			}
		}
	}
}

func TestAppendSaved(t *testing.T) {
	var shapes Shapes
	for _, tt := range []struct {
		saved []attr.Attr
		want  []byte
	}{
		{nil, nil},
		{[]attr.Attr{attr.SourcePeerType, attr.DestPeerAddress}, []byte{0, 0x80, 0x10}},
		{[]attr.Attr{attr.VLANid, attr.ECNCodeBits, attr.DSCodePoint}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0xa0}},
	} {
		var saved []Saved
		for _, a := range tt.saved {
			saved = append(saved, Saved{Attr: a})
		}
		got := shapes.Intern(2, 4, 0, saved).AppendSaved(nil)
		if !bytes.Equal(got, tt.want) {
			t.Errorf("%v: %x, want %x", tt.saved, got, tt.want)
		}
		for a := attr.Attr(0); a < 1100; a++ {
			if IsSaved(got, a) != slices.Contains(tt.saved, a) {
				t.Errorf("%v: IsSaved tells of %v", tt.saved, a)
			}
		}
	}
}

// TestSavesEnds leaves out, or masks, one attribute after the other.
func TestSavesEnds(t *testing.T) {
	var shapes Shapes
	all := []Saved{{attr.SourcePeerAddress, attr.Ones(20)}, {attr.DestPeerAddress, attr.Ones(20)}, {attr.SourceTransType, attr.Ones(1)},
		{attr.SourceTransAddress, attr.Ones(2)}, {attr.DestTransAddress, attr.Ones(2)}}
	for _, length := range []uint8{4, 16} {
		s := shapes.Intern(1, length, 0, all)
		if !s.SavesEnds() || !s.Reverse.SavesEnds() {
			t.Errorf("addresses of %d octets: the ends are not saved", length)
		}
		for i := range all {
			without := append(append([]Saved(nil), all[:i]...), all[i+1:]...)
			n := s.Len(all[i].Attr)
			masked := append([]Saved{{all[i].Attr, attr.WidthMask(8*n-1, n)}}, without...)
			if shapes.Intern(1, length, 0, without).SavesEnds() || shapes.Intern(1, length, 0, masked).SavesEnds() {
				t.Errorf("addresses of %d octets: the ends are saved without all of %v", length, all[i].Attr)
			}
		}
	}
}

// attackers are the attributes that attacks on the hash of a flow vary, by the
// places of 8 octets in the key where they stand: all there are.
func attackers() (saved []Saved) {
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			saved = append(saved, Saved{in.Attr, attr.Ones(in.Size)})
		}
	}
	return saved
}

// TestFlowKeyHashUnderAttack has all words of keys chosen so as to collide.
func TestFlowKeyHashUnderAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for long, on one goroutine")
	}
	var shapes Shapes
	shape := shapes.InternLengths(1, Lengths{20, attr.MaxAdjacent, attr.MaxInnerPeer}, attackers())
	var saves FlowKey
	saves.Shape = shape
	for _, s := range shape.Saved {
		s.Mask.Append(saves.Value(s.Attr)[:0])
	}
	secret := keyhash.NewSecret()
	words := attr.KeySize / 8
	for _, attack := range keyhashtest.Attacks(words) {
		seen := make(map[attr.Key]bool)
		var hashes keyhashtest.Hashes
		for i := range keyhashtest.Keys {
			var w [attr.KeySize / 8]uint64
			attack.Set(i, w[:words])
			k := FlowKey{Shape: shape}
			for j, x := range w {
				binary.LittleEndian.PutUint64(k.Key[8*j:], x)
			}
			for j := range k.Key {
				k.Key[j] &= saves.Key[j]
			}
			reverse := k.Reverse()
			if seen[k.Key] || seen[reverse.Key] {
				continue
			}
			seen[k.Key] = true
			h := k.Hash(&secret)
			if reverse.Hash(&secret) != h {
				t.Fatalf("%s: the reverse of key %d has another hash", attack.Name, i)
			}
			hashes = append(hashes, h)
		}
		hashes.Check(t, attack.Name)
	}
}

func BenchmarkFlowKeyHash(b *testing.B) {
	var shapes Shapes
	k := FlowKey{Shape: shapes.Intern(1, 4, 0, attackers()[:8])}
	secret := keyhash.NewSecret()
	sum := uint32(0)
	for b.Loop() {
		k.Key[0] = byte(sum)
		sum += k.Hash(&secret)
	}
}

// TestShapesOfDistributions tells shapes apart by the parameters of their
// distributions, and keeps these when a shape is reversed.
func TestShapesOfDistributions(t *testing.T) {
	var shapes Shapes
	size := distributionOf(t, attr.ToPacketSize, "1.0.25!1500", "60")
	rate := distributionOf(t, attr.FromBitRate, "2.3.1!10000", "60.5")
	saved := []Saved{{attr.SourcePeerAddress, attr.Ones(4)}}
	plain := shapes.Intern(1, 4, 0, saved)
	both := shapes.Intern(1, 4, 0, saved, rate, size)
	coarser := size
	coarser.Value = attr.MakeValue(30, 0, 0, 0, 0, 0)
	if plain == both || both == shapes.Intern(1, 4, 0, saved, rate, coarser) {
		t.Error("shapes with different distributions are one")
	}
	if again := shapes.Intern(1, 4, 0, saved, coarser, size, rate); again != both {
		t.Errorf("%+v is not %+v", again, both)
	}
	if want := []attr.Measure{size, rate}; !slices.Equal(both.Measures, want) || !slices.Equal(both.Reverse.Measures, want) {
		t.Errorf("%v, reversed %v", both.Measures, both.Reverse.Measures)
	}
	if got, want := both.DistributionBits(), uint32(1<<0|1<<7); got != want {
		t.Errorf("bits %b, want %b", got, want)
	}
}

func distributionOf(t *testing.T, a attr.Attr, mask, value string) attr.Measure {
	t.Helper()
	m, err := a.ParseMeasure(mask)
	if err != nil {
		t.Fatal(err)
	}
	v, err := a.ParseMeasure(value)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Measure{Attr: a, Mask: m, Value: v}
}
