package scenario

import (
	"bufio"
	"fmt"
	"regexp"
	"strings"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Parse reads a scenario. All its XML and names are checked here, so that a scenario that cannot
// work fails before anything is started.
func Parse(name, text string) (*Scenario, error) {
	p := &parser{scenario: &Scenario{Name: name}, participants: map[string]bool{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		p.line++
		if err := p.take(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s.scenario:%d: %w", name, p.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s.scenario: %w", name, err)
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s.scenario: %w", name, err)
	}
	return p.scenario, nil
}

type parser struct {
	scenario     *Scenario
	line         int
	participants map[string]bool
	body         bool // below the line of dashes
	part         func(key, value string) error
	block        *unfinishedStep
}

// unfinishedStep is a step whose block is still being read.
type unfinishedStep struct {
	step  Step
	build func(block string) (action, error)
	lines []string
}

var (
	ruleLine = regexp.MustCompile(`^-{5,}$`)
	section  = regexp.MustCompile(`^\[(Client|Component|Server)\](?:\s+(\S+))?$`)
	word     = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
)

func (p *parser) take(line string) error {
	indented := strings.HasPrefix(line, "\t") || strings.HasPrefix(line, " ")
	trimmed := strings.TrimSpace(line)
	switch {
	case p.body && p.block != nil && (indented || trimmed == ""):
		p.block.lines = append(p.block.lines, line)
		return nil
	case trimmed == "":
		return nil
	case strings.HasPrefix(line, "#"):
		if p.scenario.Title == "" {
			p.scenario.Title = strings.TrimSpace(strings.TrimLeft(line, "# "))
		}
		return nil
	case p.body:
		return p.step(line)
	case ruleLine.MatchString(line):
		p.body = true
		return nil
	}
	return p.head(line, indented)
}

func (p *parser) head(line string, indented bool) error {
	if indented {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || p.part == nil {
			return fmt.Errorf("unknown setting %q", line)
		}
		return p.part(key, strings.TrimSpace(value))
	}
	found := section.FindStringSubmatch(line)
	if found == nil {
		return fmt.Errorf("unknown section %q", line)
	}
	if found[1] == "Server" {
		p.part = p.serverSetting
		return nil
	}
	name := found[2]
	if !word.MatchString(name) || p.participants[name] || name == "host" || name == "any" {
		return fmt.Errorf("name %q is used already or not in lower case", name)
	}
	p.participants[name] = true
	p.scenario.Participants = append(p.scenario.Participants, Participant{Name: name, Component: found[1] == "Component"})
	p.part = p.participantSetting
	return nil
}

func (p *parser) serverSetting(key, value string) error {
	switch key {
	case "only":
		p.scenario.Only = value
	case "because":
		p.scenario.Because = value
	case "group":
		name, members, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("group %q has no members", value)
		}
		p.scenario.Groups = append(p.scenario.Groups, Group{strings.TrimSpace(name), names(strings.TrimSpace(members))})
	case "admin":
		p.scenario.Admin = value
	case "setting":
		p.scenario.Settings = append(p.scenario.Settings, value)
	default:
		return fmt.Errorf("unknown setting %q of the server", key)
	}
	return nil
}

func (p *parser) participantSetting(key, value string) error {
	participant := &p.scenario.Participants[len(p.scenario.Participants)-1]
	switch {
	case key == "jid":
		participant.JID = value
	case key == "password" && !participant.Component, key == "secret" && participant.Component:
		participant.Secret = value
	case key == "anonymous" && !participant.Component && value == "yes":
		participant.Anonymous = true
	case key == "keys" && !participant.Component:
		participant.Keys = value
	case (key == "requests" || key == "delegated") && participant.Component:
		participant.Grants += fmt.Sprintf("%s = [%q]\n", key, value)
	case key == "privileged" && participant.Component && value == "yes":
		participant.Privileged = true
	default:
		return fmt.Errorf("unknown setting %q of %s", key, participant.Name)
	}
	return nil
}

// step reads the first line of a step and ends the one before.
func (p *parser) step(line string) error {
	if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, " ") {
		return fmt.Errorf("step expected, not %q", line)
	}
	if err := p.endBlock(); err != nil {
		return err
	}
	for _, pattern := range stepPatterns {
		found := pattern.line.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		step := Step{Line: p.line, Text: line}
		if pattern.participant {
			for _, name := range names(found[1]) {
				if !p.participants[name] {
					return fmt.Errorf("unknown participant %q", name)
				}
			}
		}
		build := func(block string) (action, error) { return pattern.build(found[1:], block) }
		if pattern.block {
			p.block = &unfinishedStep{step: step, build: build}
			return nil
		}
		var err error
		if step.action, err = build(""); err != nil {
			return err
		}
		p.scenario.Steps = append(p.scenario.Steps, step)
		return nil
	}
	return fmt.Errorf("unknown step %q", line)
}

func (p *parser) endBlock() error {
	if p.block == nil {
		return nil
	}
	unfinishedStep := p.block
	p.block = nil
	block := strings.TrimSpace(strings.Join(unfinishedStep.lines, "\n"))
	if block == "" {
		return fmt.Errorf("%q has no block", unfinishedStep.step.Text)
	}
	var err error
	if unfinishedStep.step.action, err = unfinishedStep.build(block); err != nil {
		return fmt.Errorf("block of %q: %w", unfinishedStep.step.Text, err)
	}
	p.scenario.Steps = append(p.scenario.Steps, unfinishedStep.step)
	return nil
}

func (p *parser) finish() error {
	if err := p.endBlock(); err != nil {
		return err
	}
	switch {
	case p.scenario.Title == "":
		return fmt.Errorf("has no title: a first line that begins with #")
	case len(p.scenario.Steps) == 0:
		return fmt.Errorf("has no steps below a line of dashes")
	case (p.scenario.Only == "") != (p.scenario.Because == ""):
		return fmt.Errorf("only requires because, and because requires only")
	}
	for _, participant := range p.scenario.Participants {
		if participant.Anonymous {
			if participant.JID != "anon.{host}" || participant.Secret != "" {
				return fmt.Errorf("the jid of %s, which is anonymous, is not anon.{host}, or it has a password", participant.Name)
			}
			continue
		}
		if participant.JID == "" || participant.Secret == "" {
			return fmt.Errorf("%s has no jid or no password", participant.Name)
		}
		if !participant.Component && !strings.Contains(participant.JID, "@{host}") {
			return fmt.Errorf("the jid of %s is not of the form name@{host}", participant.Name)
		}
	}
	return nil
}

// names splits "alice, bob and carol".
func names(list string) []string {
	return strings.Split(strings.ReplaceAll(list, " and ", ", "), ", ")
}

// expectation parses the stanzas of a receives block.
func expectation(block string) ([]*xmltree.Element, error) {
	row, err := xmltree.ParseFragment(block)
	if err != nil {
		return nil, err
	}
	if len(row) == 0 {
		return nil, fmt.Errorf("no stanza in %q", block)
	}
	return row, nil
}
