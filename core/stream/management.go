package stream

import (
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// NSManagement is the namespace of stream management (XEP-0198).
const NSManagement = unacked.NS

// HandledCountTooHigh is the stream error for a peer that acknowledges more stanzas than it was sent (XEP-0198 §6).
func HandledCountTooHigh(h, sent uint32) *Error {
	e := NewError(UndefinedCondition, "more stanzas were acknowledged than were sent")
	e.App = stanza.NewElement(NSManagement, "handled-count-too-high").With("h", decimal(h)).With("send-count", decimal(sent))
	return e
}

// ParseCount reads a number of stanzas, as in h (XEP-0198 §4).
func ParseCount(text string) (n uint32, ok bool) {
	parsed, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	return uint32(parsed), err == nil
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
