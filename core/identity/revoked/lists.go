package revoked

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
)

const (
	maxList   = 64 << 20 // bytes of a file
	maxLists  = 64       // of a file
	lookEvery = time.Second
)

// Options are the parameters of New.
type Options struct {
	Files []string // each with lists in PEM form, or one in DER form
	// Open accepts certificates about which no list says anything; otherwise they are refused.
	Open bool
	Log  *slog.Logger
}

// Lists are certificate revocation lists. Any goroutine may call its methods.
type Lists struct {
	Options
	now func() time.Time

	mu     sync.Mutex
	looked time.Time // when the files were last compared with what was read
	files  []file
}

// file is what was read from a file.
type file struct {
	changed time.Time
	size    int64
	lists   []list
}

// list is one list.
type list struct {
	*x509.RevocationList
	serials map[string]bool
	signed  map[string]bool // by certificates of issuers: whether they have signed it
}

// New reads the files.
func New(o Options) (*Lists, error) {
	l := &Lists{Options: o, now: time.Now, files: make([]file, len(o.Files))}
	for i, name := range o.Files {
		var err error
		if l.files[i], err = read(name); err != nil {
			return nil, err
		}
	}
	l.looked = l.now()
	return l, nil
}

// Check returns an error that wraps sasl.ErrRefused if a certificate of a chain was revoked. The chain ends with an authority that is trusted.
func (l *Lists) Check(chain []*x509.Certificate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.looked) >= lookEvery {
		l.reload()
		l.looked = now
	}
	for i := range len(chain) - 1 {
		known, err := l.check(chain[i], chain[i+1], now)
		if err != nil {
			return err
		}
		if !known && !l.Open {
			return fmt.Errorf("certificate: no revocation list of %q is valid now: %w", chain[i].Issuer, sasl.ErrRefused)
		}
	}
	return nil
}

// check compares a certificate with the lists of its issuer. known is false if none of them is valid now.
func (l *Lists) check(c, issuer *x509.Certificate, now time.Time) (known bool, err error) {
	for _, f := range l.files {
		for i := range f.lists {
			of := &f.lists[i]
			if !of.by(issuer) {
				continue
			}
			if of.serials[string(c.SerialNumber.Bytes())] {
				return true, fmt.Errorf("certificate: revoked by %q: %w", c.Issuer, sasl.ErrRefused)
			}
			// A list without an end is not one of RFC 5280 §5.1.2.5.
			known = known || !now.Before(of.ThisUpdate) && now.Before(of.NextUpdate)
		}
	}
	return known, nil
}

// by reports whether an issuer has signed the list (RFC 5280 §6.3.3).
func (l *list) by(issuer *x509.Certificate) bool {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return false
	}
	key := string(issuer.Raw)
	signed, ok := l.signed[key]
	if !ok {
		signed = l.CheckSignatureFrom(issuer) == nil
		if len(l.signed) >= maxLists { // certificates of clients bring others with them
			clear(l.signed)
		}
		l.signed[key] = signed
	}
	return signed
}

// reload reads the files that have changed. What was read of one that cannot be read stays in use.
func (l *Lists) reload() {
	for i, name := range l.Files {
		was := &l.files[i]
		info, err := os.Stat(name)
		if err != nil || info.ModTime().Equal(was.changed) && info.Size() == was.size {
			continue
		}
		fresh, err := read(name)
		if err != nil {
			l.Log.Error("revocation list cannot be used, the one before stays in use", "err", err)
			was.changed, was.size = info.ModTime(), info.Size()
			continue
		}
		*was = fresh
	}
}

func read(name string) (file, error) {
	info, err := os.Stat(name)
	if err != nil {
		return file{}, err
	}
	if info.Size() > maxList {
		return file{}, fmt.Errorf("%s: %d bytes are too many", name, info.Size())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return file{}, err
	}
	lists, err := parse(text)
	if err != nil {
		return file{}, fmt.Errorf("%s: %w", name, err)
	}
	return file{info.ModTime(), info.Size(), lists}, nil
}

// parse parses the contents of a file.
func parse(text []byte) ([]list, error) {
	var lists []list
	add := func(der []byte) error {
		l, err := parseList(der)
		if err == nil {
			lists = append(lists, l)
		}
		return err
	}
	block, rest := pem.Decode(text)
	if block == nil {
		return lists, add(text)
	}
	for ; block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "X509 CRL" {
			return nil, fmt.Errorf("a %s is no X509 CRL", block.Type)
		}
		if len(lists) == maxLists {
			return nil, fmt.Errorf("more than %d lists", maxLists)
		}
		if err := add(block.Bytes); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

func parseList(der []byte) (list, error) {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return list{}, errors.New("no certificate revocation list")
	}
	for _, e := range parsed.Extensions {
		if e.Critical {
			return list{}, fmt.Errorf("a revocation list with the critical extension %s, which is not known here", e.Id)
		}
	}
	l := list{&x509.RevocationList{ // without the entries, of which only the serial numbers are kept
		RawTBSRevocationList: parsed.RawTBSRevocationList, Signature: parsed.Signature, SignatureAlgorithm: parsed.SignatureAlgorithm,
		RawIssuer: parsed.RawIssuer, ThisUpdate: parsed.ThisUpdate, NextUpdate: parsed.NextUpdate,
	}, make(map[string]bool, len(parsed.RevokedCertificateEntries)), map[string]bool{}}
	for _, entry := range parsed.RevokedCertificateEntries {
		for _, e := range entry.Extensions {
			if e.Critical {
				return list{}, fmt.Errorf("a revocation list with an entry that has the critical extension %s, which is not known here", e.Id)
			}
		}
		l.serials[string(entry.SerialNumber.Bytes())] = true
	}
	return l, nil
}
