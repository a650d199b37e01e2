package structure

import (
	"bufio"
	"go/ast"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Kinds of text that a word can be banned from.
const (
	inIdentifiers = "identifiers"
	inFiles       = "files"
	inComments    = "comments"
	inStrings     = "strings"
	inDocs        = "docs"
)

// bannedWord is a line of vocabulary.txt.
type bannedWord struct {
	kinds   []string
	instead string
}

// bans reports whether the word is banned where it is used.
func (b bannedWord) bans(u wordUse) bool {
	for _, k := range b.kinds {
		kind, folder, _ := strings.Cut(k, "@")
		if kind == u.kind && strings.HasPrefix(u.file, folder) {
			return true
		}
	}
	return false
}

// wordUse is a word of a kind of text in a file.
type wordUse struct {
	word, kind string
	file       string // below the module's root
	line       int
	text       string // what the word is part of
}

// TestVocabulary finds banned words.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	banned := readVocabulary(t)
	allowed := readAllowedUses(t)
	for _, u := range allWords(t, "../..") {
		b, ok := banned[u.word]
		if !ok {
			b, ok = banned[strings.TrimSuffix(u.word, "s")]
		}
		if !ok || !b.bans(u) || allowed.covers(u) {
			continue
		}
		t.Errorf("%s:%d: %s: %q has the word %q: write %s", u.file, u.line, u.kind, u.text, u.word, b.instead)
	}
	allowed.done(t)
}

func readVocabulary(t *testing.T) map[string]bannedWord {
	t.Helper()
	banned := map[string]bannedWord{}
	for _, l := range configLines(t, "vocabulary.txt") {
		number := l.number
		parts := strings.SplitN(l.text, ":", 3)
		if len(parts) != 3 {
			t.Fatalf("vocabulary.txt:%d: want \"word: where: instead\"", number)
		}
		kinds := strings.Fields(parts[1])
		for _, k := range kinds {
			k, _, _ = strings.Cut(k, "@")
			if !slices.Contains([]string{inIdentifiers, inFiles, inComments, inStrings, inDocs}, k) {
				t.Fatalf("vocabulary.txt:%d: unknown place %q", number, k)
			}
		}
		banned[strings.TrimSpace(parts[0])] = bannedWord{kinds: kinds, instead: strings.TrimSpace(parts[2])}
	}
	return banned
}

// allowedUse is a line of vocabulary_allowed.txt.
type allowedUse struct {
	line  int
	word  string // "*" for any
	files string // a path, a folder with /, or * for all
	text  *regexp.Regexp
	used  bool
}

type allowedUses []*allowedUse

// readAllowedUses reads lines "word: files: regular expression # reason".
func readAllowedUses(t *testing.T) allowedUses {
	t.Helper()
	var all allowedUses
	for _, l := range configLines(t, "vocabulary_allowed.txt") {
		number := l.number
		rule, reason, _ := strings.Cut(l.text, " # ")
		parts := strings.SplitN(rule, ":", 3)
		if len(parts) != 3 || strings.TrimSpace(reason) == "" {
			t.Fatalf("vocabulary_allowed.txt:%d: want \"word: files: text # reason\"", number)
		}
		text, err := regexp.Compile(strings.TrimSpace(parts[2]))
		if err != nil {
			t.Fatalf("vocabulary_allowed.txt:%d: %v", number, err)
		}
		all = append(all, &allowedUse{line: number, word: strings.TrimSpace(parts[0]), files: strings.TrimSpace(parts[1]), text: text})
	}
	return all
}

func (all allowedUses) covers(u wordUse) bool {
	for _, a := range all {
		if a.word != "*" && a.word != u.word && a.word+"s" != u.word {
			continue
		}
		if a.files == "*" || a.files == u.file || strings.HasSuffix(a.files, "/") && strings.HasPrefix(u.file, a.files) {
			if a.text.MatchString(u.text) {
				a.used = true
				return true
			}
		}
	}
	return false
}

func (all allowedUses) done(t *testing.T) {
	for _, a := range all {
		if !a.used {
			t.Errorf("vocabulary_allowed.txt:%d is not needed any more: remove it", a.line)
		}
	}
}

// configLine is a line of a list.
type configLine struct {
	number int
	text   string
}

// configLines are the lines of a list without comments and empty lines.
func configLines(t *testing.T, name string) []configLine {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []configLine
	number := 0
	for in := bufio.NewScanner(f); in.Scan(); {
		number++
		if line := strings.TrimSpace(in.Text()); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, configLine{number, line})
		}
	}
	return lines
}

// notOurs are folders with the texts of others, and these lists.
var notOurs = []string{".git", "integration/testdata", "integration/structure/vocabulary.txt", "integration/structure/vocabulary_allowed.txt", "core/store/testdata"}

// allWords lists the words of all Go files, scenarios and documents, and of the names of all files.
func allWords(t *testing.T, root string) []wordUse {
	t.Helper()
	var all []wordUse
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && d.Name() == "node_modules" { // of npm
			return filepath.SkipDir
		}
		if slices.Contains(notOurs, name) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		for _, w := range split(path.Base(name)) {
			all = append(all, wordUse{w, inFiles, name, 0, path.Base(name)})
		}
		if d.IsDir() {
			return nil
		}
		switch ext := path.Ext(name); ext {
		case ".go":
			text, err := os.ReadFile(file)
			all = append(all, goWords(name, text)...)
			return err
		case ".md", ".scenario", ".txtar":
			text, err := os.ReadFile(file)
			all = append(all, documentWords(name, string(text))...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// goWords lists the words of a Go file.
func goWords(name string, text []byte) []wordUse {
	var all []wordUse
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile(name, fset.Base(), len(text)), text, nil, scanner.ScanComments)
	importing := false
	for {
		pos, tok, literal := s.Scan()
		line := fset.Position(pos).Line
		switch tok {
		case token.EOF:
			return all
		case token.IMPORT:
			importing = true
		case token.FUNC, token.TYPE, token.VAR, token.CONST:
			importing = false
		case token.IDENT:
			for _, w := range split(literal) {
				all = append(all, wordUse{w, inIdentifiers, name, line, literal})
			}
		case token.COMMENT:
			for i, l := range strings.Split(literal, "\n") {
				for _, w := range proseWords(l) {
					all = append(all, wordUse{w, inComments, name, line + i, strings.TrimSpace(l)})
				}
			}
		case token.STRING:
			if importing {
				continue
			}
			for i, l := range strings.Split(literal, "\n") {
				for _, w := range proseWords(l) {
					all = append(all, wordUse{w, inStrings, name, line + i, strings.TrimSpace(l)})
				}
			}
		}
	}
}

// documentWords lists the words of a document, and of the comments of a scenario or script.
func documentWords(name, text string) []wordUse {
	var all []wordUse
	for i, l := range strings.Split(text, "\n") {
		kind := inDocs
		if !strings.HasSuffix(name, ".md") {
			if kind = inComments; !strings.HasPrefix(l, "#") {
				continue
			}
		}
		for _, w := range proseWords(l) {
			all = append(all, wordUse{w, kind, name, i + 1, strings.TrimSpace(l)})
		}
	}
	return all
}

var (
	proseWord = regexp.MustCompile(`[A-Za-z]+(?:-[a-z]+)*`)
)

// split splits a name at capital letters, dots, dashes and underscores, in small letters.
func split(name string) []string {
	var words []string
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' }) {
		for _, w := range splitCamelCase(part) {
			words = append(words, strings.ToLower(w))
		}
	}
	return words
}

func splitCamelCase(name string) []string {
	if !ast.IsExported(name) && strings.ToLower(name) == name {
		return []string{name}
	}
	var words []string
	start := 0
	for i := 1; i < len(name); i++ {
		upper := name[i] >= 'A' && name[i] <= 'Z'
		before := name[i-1] >= 'A' && name[i-1] <= 'Z'
		next := i+1 < len(name) && name[i+1] >= 'a' && name[i+1] <= 'z'
		if upper && (!before || next) {
			words = append(words, name[start:i])
			start = i
		}
	}
	return append(words, name[start:])
}

// proseWords are the words of a text, in small letters; a word with a dash is one word without it.
func proseWords(text string) []string {
	words := proseWord.FindAllString(text, -1)
	for i, w := range words {
		words[i] = strings.ToLower(strings.ReplaceAll(w, "-", ""))
	}
	return words
}
