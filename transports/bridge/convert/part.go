package convert

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports"
)

// partMark is between the id of a message and that of its part, where the tables name the part.
const partMark = "\x1f"

// PartID is the id by which the tables know a part of a message; the first part has the message's own.
func PartID(id transports.MessageID, part transports.PartID) transports.MessageID {
	if part == "" {
		return id
	}
	return id + partMark + transports.MessageID(part)
}

// SplitPartID is the reverse of PartID.
func SplitPartID(id transports.MessageID) (transports.MessageID, transports.PartID) {
	whole, part, _ := strings.Cut(string(id), partMark)
	return transports.MessageID(whole), transports.PartID(part)
}

// PartRange are the ids between which those of the further parts of a message are.
func PartRange(id transports.MessageID) (after, before transports.MessageID) {
	return id + partMark, id + "\x20"
}
