package store

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"rtfm/traces"
)

// TestExport: the store that is exported has what the other has of the time, is whole,
// and tells the same losses.
func TestExport(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	packets := random(r, 10_000)
	all := append([]traces.Packet(nil), packets...)
	dir := t.TempDir()
	key := func(k *Key, p *traces.Packet) bool { k.Set(1, byte(p.Interface), 0, 0); return true }
	store(t, Config{Dir: dir, Wait: true, FileSize: leastFile, Key: key}, &list{packets: packets, lose: func(left int, st *traces.Stats) {
		if r.IntN(10) == 0 {
			st.Lose(2, uint64(r.IntN(5)))
		}
	}})
	for n := range 5 {
		q := Query{From: all[r.IntN(len(all))].Time, To: all[r.IntN(len(all))].Time}
		if n == 0 {
			q = Query{To: forever}
		}
		to := filepath.Join(t.TempDir(), "new")
		stored, covered, damaged, err := Export(context.Background(), dir, q, Config{Dir: to, Key: key})
		if err != nil || len(damaged) > 0 {
			t.Fatal(err, damaged)
		}
		want, from := read(t, dir, q)
		got, src := read(t, to, q)
		equal(t, got, want)
		if old, now := from.Covered(), src.Covered(); !reflect.DeepEqual(old.Losses, now.Losses) || !reflect.DeepEqual(covered.Losses, now.Losses) || old.Chunks != covered.Chunks {
			t.Errorf("%+v is exported, and %+v is there, of %+v", covered, now, old)
		}
		files, err := Files(to)
		if err != nil {
			t.Fatal(err)
		}
		var there uint64
		for _, f := range files {
			s, err := Look(to, f)
			if err != nil {
				t.Error(err)
			}
			there += s.Packets
			if _, err := os.Stat(filepath.Join(to, indexName(f.Name))); err != nil {
				t.Error(err)
			}
		}
		if there != stored || there < uint64(len(want)) {
			t.Errorf("%d packets are exported, %d are there, %d of the time", stored, there, len(want))
		}
		if _, _, _, err := Export(context.Background(), dir, q, Config{Dir: to}); err == nil && there > 0 {
			t.Error("what was exported is overwritten")
		}
		if n == 0 {
			if there != uint64(len(all)) || opened(t, to) != there {
				t.Errorf("%d packets of %d", there, len(all))
			}
		}
	}
}

// TestExportDamage: a damaged chunk is left out, and told.
func TestExportDamage(t *testing.T) {
	packets := random(rand.New(rand.NewPCG(33, 34)), 10_000)
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	store(t, Config{Dir: dir, Wait: true}, &list{packets: packets})
	files, _ := Files(dir)
	largest := slices.MaxFunc(files, func(a, b File) int { return cmp.Compare(a.Size, b.Size) })
	f, err := os.OpenFile(filepath.Join(dir, largest.Name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("damage"), largest.Size/2)
	f.Close()
	stored, covered, damaged, err := Export(context.Background(), dir, Query{To: forever}, Config{Dir: to})
	if err != nil || len(damaged) != 1 || covered.Damaged != 1 || covered.Complete() {
		t.Errorf("%+v, %v, %v", covered, damaged, err)
	}
	if got, _ := read(t, to, Query{To: forever}); uint64(len(got)) != stored || stored == 0 || stored >= 10_000 {
		t.Errorf("%d packets are there, %d exported", len(got), stored)
	}
}
