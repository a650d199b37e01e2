package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// What an archive for the measurements has: an account's messages with contacts, spread over archiveSpan before now. Words of
// them are drawn as often as those of languages are, by their rank; further ones are searched for.
const (
	archiveSpan     = 300 * 24 * time.Hour // less than what servers keep by default
	archiveContacts = 100                  // each has about one message of a hundred
	searchedWords   = 10                   // of each kind
	rareMessages    = 100                  // with one rare word
	commonShare     = 100                  // one message of that many has one common word
	vocabulary      = 20_000
	minMessages     = 10_000
)

// absentWord is in no message.
const absentWord = "nowhereword"

func rareWord(i int) string   { return fmt.Sprintf("rareword%d", i%searchedWords) }
func commonWord(i int) string { return fmt.Sprintf("commonword%d", i%searchedWords) }
func archiveContact(i int) string {
	return fmt.Sprintf("contact%d@contacts.example", i%archiveContacts)
}

// messagesCommand writes an account with an archive, in the lines of JSON that 'dragoman account import --merge' reads.
func messagesCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "messages", Short: "Write an archive for 'archive', as 'dragoman account import --merge' reads it", Args: cobra.NoArgs}
	count := cmd.Flags().Int("messages", 100_000, "how many messages")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		t, err := parseTarget(o.target)
		if err != nil {
			return err
		}
		if *count < minMessages {
			return fmt.Errorf("--messages must be at least %d", minMessages)
		}
		return writeMessages(cmd.OutOrStdout(), o.user+"0@"+t.domain, *count)
	}
	return cmd
}

// archivedLine is a line of an archived message, or of the account.
type archivedLine struct {
	Account string           `json:"account"`
	Kind    string           `json:"kind"`
	Message *archivedMessage `json:"message,omitempty"`
	XML     string           `json:"xml,omitempty"`
}

type archivedMessage struct {
	ID string    `json:"id"` // empty: the server makes it
	At time.Time `json:"at"`
}

func writeMessages(w io.Writer, account string, n int) error {
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(archivedLine{Account: account, Kind: "account"}); err != nil {
		return err
	}
	texts := newTexts(n)
	step := archiveSpan / time.Duration(n)
	at := time.Now().Add(-archiveSpan)
	for i := range n {
		at = at.Add(step)
		from, to := archiveContact(texts.random.IntN(archiveContacts))+"/desk", account
		if i%2 == 1 {
			from, to = account+"/desk", from
		}
		xml := fmt.Sprintf("<message type='chat' id='m%d' from='%s' to='%s'><body>%s</body></message>", i, from, to, texts.text(i))
		if err := lines.Encode(archivedLine{account, "archived", &archivedMessage{At: at.UTC()}, xml}); err != nil {
			return err
		}
	}
	return out.Flush()
}

// texts makes the texts of messages, the same ones each time.
type texts struct {
	random *rand.Rand
	ranks  *rand.Zipf
	words  []string
	stride int // from one message with a rare word to the next
}

func newTexts(messages int) *texts {
	r := rand.New(rand.NewPCG(1, 2))
	return &texts{r, rand.NewZipf(r, 1.1, 4, vocabulary-1), spellings(vocabulary), messages / rareMessages}
}

// spellings are words of two to four syllables.
func spellings(n int) []string {
	var syllables []string
	for _, c := range "bdfgklmnprst" {
		for _, v := range "aeiou" {
			syllables = append(syllables, string([]rune{c, v}))
		}
	}
	list := make([]string, n)
	for i := range list {
		rest, word := i, syllables[i%len(syllables)]
		for rest /= len(syllables); rest > 0 || len(word) < 4; rest /= len(syllables) {
			word += syllables[rest%len(syllables)]
		}
		list[i] = word
	}
	return list
}

func (t *texts) text(i int) string {
	words := make([]string, 6+t.random.IntN(8))
	for j := range words {
		words[j] = t.words[t.ranks.Uint64()]
	}
	if k := i % t.stride; k < searchedWords && i/t.stride < rareMessages {
		words = append(words, rareWord(k))
	}
	if k := t.random.IntN(commonShare); k < searchedWords {
		words = append(words, commonWord(k))
	}
	return strings.Join(words, " ")
}
