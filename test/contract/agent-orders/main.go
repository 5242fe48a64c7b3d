// Says of orders whether the agent reads them: a JSON array of documents on stdin, one of faults on stdout, empty where there is none.
package main

import (
	"encoding/json"
	"log"
	"os"

	"serverless-kubelet.local/agent/internal/orders"
)

func main() {
	var documents []string
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		log.Fatal(err)
	}
	faults := make([]string, len(documents))
	for i, document := range documents {
		if err := parse([]byte(document)); err != nil {
			faults[i] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(faults); err != nil {
		log.Fatal(err)
	}
}

func parse(document []byte) error {
	var header struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(document, &header); err != nil {
		return err
	}
	if header.Kind == orders.KindGroup {
		_, err := orders.ParseGroup(document)
		return err
	}
	_, err := orders.ParseContainer(document)
	return err
}
