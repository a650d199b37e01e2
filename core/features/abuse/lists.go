package abuse

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
)

const (
	maxEntries  = 1_000_000
	maxListSize = 128 << 20 // bytes of a file
)

// Lists are lists of addresses that send spam, as servers share them: each entry is a bare address, a domain or an occupant id of a room, or
// the SHA-256 hash of one in hexadecimal digits, which is what the ids of the items of such lists are.
type Lists struct {
	current atomic.Pointer[map[[sha256.Size]byte]struct{}] // of files
	sources []*Source                                      // read-only once stanzas are routed
	Refused atomic.Uint64                                  // stanzas that were refused because of the lists
}

// NewLists returns lists without entries.
func NewLists() *Lists {
	l := &Lists{}
	l.current.Store(&map[[sha256.Size]byte]struct{}{})
	return l
}

// Has reports whether an address, or its domain, is on a list.
func (l *Lists) Has(address jid.JID) bool {
	if l.Len() == 0 {
		return false
	}
	return l.has(sha256.Sum256([]byte(address.Bare().String()))) || l.has(sha256.Sum256([]byte(address.Host().String())))
}

// HasOccupant is Has of an address in a room, whose occupant id of it (XEP-0421) may be on a list instead: who reports somebody in a room that
// hides addresses knows nothing else.
func (l *Lists) HasOccupant(address jid.JID, id string) bool {
	if l.Len() == 0 {
		return false
	}
	return l.Has(address) || id != "" && (l.has(sha256.Sum256([]byte(id))) || l.hasPlain(id))
}

// hasPlain reports whether an occupant id is on a list as it is. The ids of our rooms look like hashes.
func (l *Lists) hasPlain(id string) bool {
	var entry [sha256.Size]byte
	if len(id) != hex.EncodedLen(len(entry)) {
		return false
	}
	_, err := hex.Decode(entry[:], []byte(id))
	return err == nil && l.has(entry)
}

func (l *Lists) has(entry [sha256.Size]byte) bool {
	if _, ok := (*l.current.Load())[entry]; ok {
		return true
	}
	for _, s := range l.sources {
		if s.Has(entry) {
			return true
		}
	}
	return false
}

// Len returns the number of entries.
func (l *Lists) Len() int {
	n := len(*l.current.Load())
	for _, s := range l.sources {
		n += s.Len()
	}
	return n
}

// NewSource adds a list that changes while the server runs. Call it before the first stanza.
func (l *Lists) NewSource() *Source {
	s := &Source{entries: map[[sha256.Size]byte]struct{}{}}
	l.sources = append(l.sources, s)
	return s
}

// Read replaces the entries by those of files. After an error nothing is changed.
func (l *Lists) Read(files ...string) error {
	entries := map[[sha256.Size]byte]struct{}{}
	for _, name := range files {
		if err := readFile(name, entries); err != nil {
			return fmt.Errorf("read list %s: %w", name, err)
		}
	}
	l.current.Store(&entries)
	return nil
}

func readFile(name string, into map[[sha256.Size]byte]struct{}) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return parseList(io.LimitReader(f, maxListSize), into)
}

// parseList reads one entry a line. What follows a space, or a # at the beginning of a line, is a comment.
func parseList(from io.Reader, into map[[sha256.Size]byte]struct{}) error {
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(string(bytes.TrimSpace(lines.Bytes())), " ")
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		entry, err := parseEntry(text)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if into[entry] = struct{}{}; len(into) > maxEntries {
			return fmt.Errorf("line %d: more than %d entries", n, maxEntries)
		}
	}
	return lines.Err()
}

func parseEntry(text string) (entry [sha256.Size]byte, err error) {
	if len(text) == hex.EncodedLen(sha256.Size) && !strings.ContainsAny(text, "@.") {
		if n, err := hex.Decode(entry[:], []byte(text)); err != nil || n != len(entry) {
			return entry, fmt.Errorf("%q is no SHA-256 hash", text)
		}
		return entry, nil
	}
	address, err := jid.Parse(text)
	if err != nil || !address.IsBare() && !address.IsHost() {
		return entry, fmt.Errorf("%q is neither an address nor a domain nor a hash", text)
	}
	return sha256.Sum256([]byte(address.String())), nil
}
