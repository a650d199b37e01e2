package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/width"
)

// newerSchema makes a database look as if a later version had written it: newer FILE.
func newerSchema(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer FILE")
	}
	db, err := sql.Open("sqlite3", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	ts.Check(err)
}

// makeCertificate writes a certificate for a host and its key: certificate HOST CERT KEY [END]. END is when it expires,
// as a time span from now; a year if it is missing.
func makeCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: certificate HOST CERT KEY [END]")
	}
	end := 365 * 24 * time.Hour
	if len(args) > 3 {
		var err error
		end, err = time.ParseDuration(args[3])
		ts.Check(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{args[0]}, NotBefore: time.Now().Add(-100 * time.Hour), NotAfter: time.Now().Add(end),
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	ts.Check(err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "PRIVATE KEY", Bytes: keyDER}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[1+i]), pem.EncodeToMemory(block), 0o600))
	}
}

// atMostColumns checks that no line of a file takes more columns of a terminal: columns FILE NUMBER.
func atMostColumns(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: columns FILE NUMBER")
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		line = strings.TrimSuffix(line, "\n")
		if n := columnsIn(line); n > most {
			ts.Fatalf("a line has %d columns: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			ts.Fatalf("a line has control characters: %q", line)
		}
	}
}

// columnsIn is how many columns of a terminal a line takes.
func columnsIn(line string) int {
	n := 0
	for _, r := range line {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me) || r == '\ufe0f':
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
