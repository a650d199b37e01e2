package gateways

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// storage is a directory of a network below the server's data, and the key that seals the secrets of logins.
type storage struct {
	dir  string
	keys *bridge.Keys
}

// Dir implements transports.Storage.
func (s storage) Dir() (string, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", fmt.Errorf("make the directory of a network: %w", err)
	}
	return s.dir, nil
}

// Seal implements transports.Storage. The slash keeps the labels apart from the ids of logins.
func (s storage) Seal(label string, secret []byte) []byte {
	data, err := json.Marshal(s.keys.Seal(transports.LoginID("storage/"+label), secret))
	if err != nil {
		panic(err) // a string and bytes
	}
	return data
}

// Unseal implements transports.Storage.
func (s storage) Unseal(label string, sealed []byte) ([]byte, error) {
	var box tables.Sealed
	if err := json.Unmarshal(sealed, &box); err != nil {
		return nil, fmt.Errorf("read what was sealed as %s: %w", label, err)
	}
	return s.keys.Open(transports.LoginID("storage/"+label), box)
}
