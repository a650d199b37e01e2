package scenario

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// stepPattern is one kind of step: the pattern of its line and the function that parses it. The first
// group of the line names the participant or participants if participant is set; block says that an
// indented block follows the line.
type stepPattern struct {
	line        *regexp.Regexp
	participant bool
	block       bool
	build       func(groups []string, block string) (action, error)
}

const (
	who  = `([a-z][a-z0-9-]*)`
	some = `([a-z][a-z0-9-]*(?:(?:, | and )[a-z][a-z0-9-]*)*)`
)

var stepPatterns = []stepPattern{
	{line: regexp.MustCompile(`^` + some + ` connects?$`), participant: true, build: func(g []string, _ string) (action, error) {
		return connects{names(g[0])}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` resumes (\{[a-z]+\}) after (\d+) stanzas$`), participant: true, build: func(g []string, _ string) (action, error) {
		received, err := strconv.ParseUint(g[2], 10, 32)
		return resumes{g[0], g[1], uint32(received)}, err
	}},
	{line: regexp.MustCompile(`^` + who + ` opens a stream$`), participant: true, build: func(g []string, _ string) (action, error) {
		return opens{g[0]}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` authenticates with ([A-Z0-9-]+)(?: and (\{[a-z]+\}))?$`), participant: true, build: func(g []string, _ string) (action, error) {
		return authenticates{name: g[0], mechanism: g[1], token: g[2]}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` authenticates with ([A-Z0-9-]+)(?: and (\{[a-z]+\}))?:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		if _, err := xmltree.ParseFragment(block); err != nil {
			return nil, err
		}
		return authenticates{g[0], g[1], g[2], block}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` upgrades with (UPGR-[A-Z0-9-]+)$`), participant: true, build: func(g []string, _ string) (action, error) {
		return upgrades{g[0], g[1]}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` cannot connect: ([a-z-]+)$`), participant: true, build: func(g []string, _ string) (action, error) {
		return cannotConnect{g[0], g[1]}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` sends:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		if _, err := xmltree.ParseFragment(block); err != nil {
			return nil, err
		}
		return sends{g[0], block, true}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` sends raw:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		return sends{g[0], block, false}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` receives:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		row, err := expectation(block)
		return receives{g[0], row}, err
	}},
	{line: regexp.MustCompile(`^` + who + ` receives, in any order:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		row, err := expectation(block)
		return receivesUnordered{g[0], row}, err
	}},
	{line: regexp.MustCompile(`^` + who + ` eventually receives:$`), participant: true, block: true, build: func(g []string, block string) (action, error) {
		row, err := expectation(block)
		return receivesEventually{g[0], row}, err
	}},
	{line: regexp.MustCompile(`^` + some + ` receives? nothing$`), participant: true, build: func(g []string, _ string) (action, error) {
		return receivesNothing{names(g[0])}, nil
	}},
	{line: regexp.MustCompile(`^` + some + ` skips? the rest$`), participant: true, build: func(g []string, _ string) (action, error) {
		return skips{names(g[0])}, nil
	}},
	{line: regexp.MustCompile(`^` + some + ` disconnects?$`), participant: true, build: func(g []string, _ string) (action, error) {
		return disconnects{names(g[0])}, nil
	}},
	{line: regexp.MustCompile(`^` + some + ` loses? the connection$`), participant: true, build: func(g []string, _ string) (action, error) {
		return losesConnection{names(g[0])}, nil
	}},
	{line: regexp.MustCompile(`^` + who + ` is disconnected(?:: ([a-z-]+(?: or [a-z-]+)*))?$`), participant: true, build: func(g []string, _ string) (action, error) {
		return isDisconnected{g[0], g[1]}, nil
	}},
	{line: regexp.MustCompile(`^network ` + who + `: (.+)$`), build: func(g []string, _ string) (action, error) {
		return network{g[0], g[1], false}, nil
	}},
	{line: regexp.MustCompile(`^network ` + who + ` eventually: (.+)$`), build: func(g []string, _ string) (action, error) {
		return network{g[0], g[1], true}, nil
	}},
	{line: regexp.MustCompile(`^the server is killed and restarts$`), build: func([]string, string) (action, error) {
		return restarts{}, nil
	}},
}

// describe formats stanzas for the text of a failure.
func describe(row []*xmltree.Element) string {
	var s string
	for _, e := range row {
		s += fmt.Sprintf("%s\n", e)
	}
	return s
}
