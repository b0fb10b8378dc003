// Merges an LLMInferenceService over the templates of KServe, as its controller does.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/kserve/kserve/pkg/apis/serving/v1alpha2"
	"github.com/kserve/kserve/pkg/controller/v1alpha2/llmisvc"
	"sigs.k8s.io/yaml"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	text, err := io.ReadAll(os.Stdin)
	fail(err)
	asked := &v1alpha2.LLMInferenceService{}
	fail(yaml.UnmarshalStrict(text, asked))
	asked.SetDefaults(context.Background())
	specs := []v1alpha2.LLMInferenceServiceSpec{}
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		fail(err)
		config := &v1alpha2.LLMInferenceServiceConfig{}
		fail(yaml.Unmarshal(text, config))
		specs = append(specs, config.Spec)
	}
	spec, err := llmisvc.MergeSpecs(context.Background(), append(specs, asked.Spec)...)
	fail(err)
	merged := &v1alpha2.LLMInferenceServiceConfig{ObjectMeta: asked.ObjectMeta, Spec: spec}
	merged, err = llmisvc.ReplaceVariables(asked, merged, &llmisvc.Config{EnableTLS: true})
	fail(err)
	fail(json.NewEncoder(os.Stdout).Encode(merged))
}
