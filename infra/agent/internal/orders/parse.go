package orders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxBytes is more than ARM takes in one request.
const maxBytes = 4 << 20

// ReadContainer reads the orders of a container from a file.
func ReadContainer(path string) (*Container, error) {
	return readFile(path, ParseContainer)
}

// ReadGroup reads the orders of install from a file.
func ReadGroup(path string) (*Group, error) {
	return readFile(path, ParseGroup)
}

func readFile[T any](path string, parse func([]byte) (*T, error)) (*T, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return parse(data)
}

// ParseContainer reads and checks the orders of a container.
func ParseContainer(data []byte) (*Container, error) {
	orders := new(Container)
	if err := parseInto(data, KindContainer, orders); err != nil {
		return nil, err
	}
	if err := orders.check(); err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return orders, nil
}

// ParseGroup reads and checks the orders of install.
func ParseGroup(data []byte) (*Group, error) {
	orders := new(Group)
	if err := parseInto(data, KindGroup, orders); err != nil {
		return nil, err
	}
	if err := orders.check(); err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return orders, nil
}

func parseInto(data []byte, kind string, into any) error {
	if len(data) > maxBytes {
		return errors.New("orders: longer than 4 MiB")
	}
	var header struct {
		SchemaVersion int    `json:"schemaVersion"`
		Kind          string `json:"kind"`
	}
	if err := json.Unmarshal(data, &header); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	if header.SchemaVersion != SchemaVersion {
		return fmt.Errorf("orders: schemaVersion %d is not that of this agent, %d", header.SchemaVersion, SchemaVersion)
	}
	if header.Kind != kind {
		return fmt.Errorf("orders: of kind %q instead of %q", header.Kind, kind)
	}
	if err := decodeStrictly(data, into); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	return nil
}

// decodeStrictly refuses members that nobody knows and what follows the document: an order is never passed over.
func decodeStrictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}
