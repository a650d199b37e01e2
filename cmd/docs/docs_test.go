package main

import (
	"encoding/xml"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
)

const root = "../.."

// TestDocumentsAreCurrent compares the files with what is generated.
func TestDocumentsAreCurrent(t *testing.T) {
	t.Parallel()
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range all {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
		}
		if string(got) != want {
			t.Errorf("%s is not current: run go run ./cmd/docs", path)
		}
	}
	if err := xml.Unmarshal([]byte(all["config/dragoman.doap"]), new(struct{})); err != nil {
		t.Errorf("dragoman.doap: %v", err)
	}
}

// mentioned are specifications of others' work that comments name and Dragoman does not offer, so that nothing declares them.
var mentioned = map[string]string{
	"0016": "privacy lists, of which an import takes blocked addresses",
	"0300": "the hash functions that everybody must have",
	"0022": "message events, which the policy of messages names",
	"0027": "OpenPGP of old, which the policy of messages names",
	"0033": "addresses, which carbons leave alone",
	"0047": "in-band bytestreams, which are no part of a conversation",
	"0103": "addresses of files, which are their sources",
	"0091": "delays of old, which are removed and not written",
	"0147": "queries of addresses, which links in texts have",
	"0224": "attention, which the policy of messages names",
	"0231": "cid: addresses of media, which are named",
	"0248": "collections of nodes, which are refused",
	"0353": "calls, which the policy of messages names",
	"0367": "attaching, which the policy of messages names",
	"0380": "encrypted messages, which are refused",
	"0385": "media, which the policy of messages names",
	"0422": "fastening, which the policy of messages names",
	"0482": "invitations to calls, which the policy of messages names",
}

var cited = regexp.MustCompile(`XEP-(\d{4})`)

// TestSpecificationsAreInCode compares the declared specifications with those that comments cite.
func TestSpecificationsAreInCode(t *testing.T) {
	t.Parallel()
	where := map[string]string{}
	for _, folder := range []string{"core", "transports"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "fake" || d.Name() == "testdata") {
				return fs.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			for _, m := range cited.FindAllSubmatch(text, -1) {
				where[string(m[1])] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	specs, err := specifications()
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, s := range specs {
		declared[s.Number] = true
		if where[s.Number] == "" {
			t.Errorf("XEP-%s is declared and cited nowhere", s.Number)
		}
	}
	if len(specs) < 50 {
		t.Errorf("only %d specifications are declared", len(specs))
	}
	for number, path := range where {
		if declared[number] == (mentioned[number] != "") {
			t.Errorf("XEP-%s is cited in %s: it has to be declared (spec.Spec) or among those that are mentioned only, not both", number, path)
		}
	}
}

// TestProofsExist sees that each test and scenario that a page names is there, and that a row that is said to be there has one.
func TestProofsExist(t *testing.T) {
	t.Parallel()
	specs, err := specifications()
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, s := range specs {
		declared["XEP-"+s.Number] = true
	}
	check := func(where string, all []proof) {
		for _, p := range all {
			if err := p.check(root); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
	}
	rows := 0
	for _, c := range suite() {
		for _, r := range c.rows {
			rows++
			check(r.feature, r.proofs)
			if len(r.proofs) == 0 && r.state != later {
				t.Errorf("%s: nothing shows it", r.feature)
			}
			for p := range strings.SplitSeq(r.providers, ", ") {
				// Direct invitations only pass.
				if r.state == done && strings.HasPrefix(p, "XEP-") && !declared[p] && p != "XEP-0249" {
					t.Errorf("%s: %s is not declared", r.feature, p)
				}
			}
			if r.note == "" && (r.state == later || r.state == partly) {
				t.Errorf("%s: why only %s?", r.feature, r.state)
			}
		}
	}
	if rows != 35 { // XEP-0479 §2
		t.Errorf("%d rows", rows)
	}
	for _, a := range vulnerabilities() {
		for _, v := range a.rows {
			check(v.class, v.proofs)
			if len(v.proofs) == 0 {
				t.Errorf("%s: no test", v.class)
			}
		}
	}
	for _, p := range []proof{"scenario/none", "core/c2s TestNone", "core/c2s ", "core/none TestLogin"} {
		if p.check(root) == nil {
			t.Errorf("%q is there", p)
		}
	}
}

// TestLimitsAreSettings sees that what is said about limits is said about settings.
func TestLimitsAreSettings(t *testing.T) {
	t.Parallel()
	settings := map[string]bool{}
	for _, s := range config.Settings() {
		settings[s.Path] = true
	}
	page := limits()
	for _, path := range slices.Concat(slices.Collect(maps.Keys(advertised)), alsoLimits, server.CountedLimits()) {
		if !settings[path] || !strings.Contains(page, "| `"+path+"` |") {
			t.Errorf("%s is no setting, or not on the page", path)
		}
	}
}
