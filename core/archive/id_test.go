package archive

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestID(t *testing.T) {
	t.Parallel()
	for _, text := range []string{stanza.NewID(), newIDAt(time.Now()).String()} {
		id, ok := ParseID(text)
		if !ok || id.String() != text || uuid.UUID(id).String() != text || uuid.UUID(id).Version() != 7 || uuid.UUID(id).Variant() != uuid.RFC4122 {
			t.Errorf("%s is read as %s, %v", text, id, ok)
		}
		if age := time.Since(time.UnixMicro(id.Micros())); age < -time.Millisecond || age > time.Minute {
			t.Errorf("%s is %v old", text, age)
		}
		for _, bad := range []string{strings.ToUpper(text), text + "0", text[1:], strings.Replace(text, "-", "0", 1), text[:14] + "4" + text[15:], "", text[:35] + "g", text[:35] + "\xff"} {
			if _, ok := ParseID(bad); ok && bad != text {
				t.Errorf("%q is read", bad)
			}
		}
	}
	moment := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	if id := newIDAt(moment); moment.UnixMicro()-id.Micros() > 1 {
		t.Errorf("%s is of %v", id, time.UnixMicro(id.Micros()))
	}
}

func FuzzID(f *testing.F) {
	f.Add(stanza.NewID())
	f.Add("01900000-0000-7000-8000-00000000000g")
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := ParseID(text)
		u, err := uuid.Parse(text)
		if want := err == nil && u.String() == text && u.Version() == 7; ok != want || ok && uuid.UUID(id) != u {
			t.Errorf("%q: %s %v", text, id, ok)
		}
	})
}

// newIDAt makes an id of a moment, as stanza.NewID makes those of now.
func newIDAt(t time.Time) (id ID) {
	binary.BigEndian.PutUint64(id[:], uint64(t.UnixMilli())<<16|0x7000|uint64(t.Nanosecond()%int(time.Millisecond)>>8))
	_, _ = rand.Read(id[8:]) // never fails
	id[8] = id[8]&0x3f | 0x80
	return id
}
