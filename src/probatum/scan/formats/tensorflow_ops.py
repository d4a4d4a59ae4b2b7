"""Operators of TensorFlow: those that only compute on what they are given, those that act, those of the saver."""

from __future__ import annotations

from probatum.scan.words import words

PURE = words(
    """
    Abs Acos Acosh Add AddN AddV2 All Any ApproximateEqual ArgMax ArgMin AsString Asin Asinh Assert Assign
    AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp Atan Atan2 Atanh AvgPool AvgPool3D
    AvgPoolGrad BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpace BatchToSpaceND BesselI0e BesselI1e Betainc
    BiasAdd BiasAddGrad BiasAddV1 Bincount Bitcast BitwiseAnd BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs
    BroadcastTo Bucketize Case Cast Ceil CheckNumerics Cholesky ClipByValue CombinedNonMaxSuppression Complex
    ComplexAbs Concat ConcatOffset ConcatV2 Conj Const ControlTrigger Conv2D Conv2DBackpropFilter
    Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross CudnnRNN
    CudnnRNNV2 CudnnRNNV3 Cumprod Cumsum DataFormatDimMap DataFormatVecPermute DenseBincount DepthToSpace
    DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput Dequantize
    DestroyResourceOp DestroyTemporaryVariable Diag DiagPart Digamma Dilation2D Div DivNoNan DynamicPartition
    DynamicStitch Einsum Elu EluGrad Empty EmptyTensorList EnsureShape Enter Equal Erf Erfc Erfinv Exit Exp
    ExpandDims Expm1 ExtractImagePatches FFT FFT2D FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod FractionalAvgPool FractionalMaxPool FusedBatchNorm
    FusedBatchNormGradV3 FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual
    HashTable HashTableV2 HistogramFixedWidth IFFT IFFT2D IRFFT Identity IdentityN If Igamma Igammac Imag InTopK
    InTopKV2 Inv InvertPermutation IsFinite IsInf IsNan IsVariableInitialized L2Loss LRN LeakyRelu LeakyReluGrad
    LeftShift Less LessEqual Lgamma LinSpace ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr
    LookupTableExportV2 LookupTableFind LookupTableFindV2 LookupTableImport LookupTableImportV2 LookupTableInsertV2
    LookupTableSize LookupTableSizeV2 LoopCond MatMul MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart
    MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixInverse MatrixSetDiag MatrixSetDiagV3
    MatrixSolve MatrixTriangularSolve Max MaxPool MaxPool3D MaxPoolGrad MaxPoolV2 MaxPoolWithArgmax Maximum Mean
    Merge Min Minimum MirrorPad Mod Mul MulNoNan Multinomial MutableHashTableV2 MutableDenseHashTableV2 Ndtri Neg
    NextAfter NextIteration NoOp NonMaxSuppression NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4
    NonMaxSuppressionV5 NotEqual OneHot OnesLike Pack Pad PadV2 ParallelConcat ParameterizedTruncatedNormal
    ParseExample ParseExampleV2 ParseSingleExample PartitionedCall Placeholder PlaceholderV2 PlaceholderWithDefault
    Polygamma PopulationCount Pow PreventGradient Prod Qr QuantizeAndDequantizeV2 QuantizeAndDequantizeV3
    QuantizeAndDequantizeV4 QuantizeV2 RFFT RFFT2D RaggedGather RaggedRange RaggedTensorFromVariant
    RaggedTensorToSparse RaggedTensorToTensor RaggedTensorToVariant RandomGamma RandomPoisson RandomPoissonV2
    RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt Range Rank ReadVariableOp Real RealDiv Reciprocal
    RegexFullMatch RegexReplace Relu Relu6 ReluGrad Reshape ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ResourceApplyAdam ResourceApplyGradientDescent ResourceApplyMomentum ResourceGather
    ResourceGatherNd ResourceScatterAdd ResourceScatterUpdate Reverse ReverseSequence ReverseV2 RightShift Rint Roll
    Round Rsqrt RsqrtGrad ScatterNd SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Select SelectV2
    SelfAdjointEigV2 Selu Shape ShapeN Sigmoid SigmoidGrad Sign Sin Sinh Size Slice Snapshot Softmax
    SoftmaxCrossEntropyWithLogits Softplus SoftplusGrad Softsign SpaceToBatch SpaceToBatchND SpaceToDepth SparseAdd
    SparseConcat SparseCross SparseFillEmptyRows SparseReorder SparseReshape SparseSegmentMean SparseSegmentSqrtN
    SparseSegmentSum SparseSlice SparseSoftmax SparseSoftmaxCrossEntropyWithLogits SparseTensorDenseMatMul SparseToDense
    Split SplitV Sqrt Square SquaredDifference Squeeze StackPopV2 StackPushV2 StackV2 StatefulPartitionedCall
    StatelessCase StatelessIf StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter
    StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformInt
    StatelessRandomUniformV2 StatelessTruncatedNormal StatelessWhile StaticRegexFullMatch StaticRegexReplace
    StopGradient StridedSlice StridedSliceGrad StringFormat StringJoin StringLength StringLower StringNGrams StringSplit
    StringSplitV2 StringStrip StringToHashBucket StringToHashBucketFast StringToHashBucketStrong StringToNumber
    StringUpper Sub Substr Sum Svd Switch SwitchN SymbolicGradient Tan Tanh TanhGrad TemporaryVariable
    TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3
    TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
    TensorListReserve TensorListResize TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack
    TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate Tile TopK TopKV2 Transpose
    TridiagonalSolve TruncateDiv TruncateMod TruncatedNormal UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode
    UnicodeScript UnicodeTranscode Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex
    UnsortedSegmentMax UnsortedSegmentMean UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum Unstage VarHandleOp
    VarIsInitializedOp Variable VariableShape VariableV2 Where While XlaDot Xdivy Xlog1py Xlogy ZerosLike Zeta
    DecodeRaw DecodeBase64 EncodeBase64 _Arg _Retval _FusedConv2D _FusedMatMul
    """
)
#: They run Python or programs, or reach files and the network.
ACTING = words(
    """
    PyFunc PyFuncStateless EagerPyFunc ReadFile WriteFile MatchingFiles WholeFileReader WholeFileReaderV2
    TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2
    LMDBReader TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2
    MatchingFilesDataset ExperimentalMatchingFilesDataset CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset
    ExperimentalLMDBDataset SqlDataset ExperimentalSqlDataset SnapshotDataset SnapshotDatasetV2 SaveDataset
    SaveDatasetV2 LoadDataset CacheDataset CacheDatasetV2 DatasetToTFRecord ExperimentalDatasetToTFRecord Print PrintV2
    ImmutableConst Save SaveSlices Restore RestoreSlice DebugIdentity DebugIdentityV2 DebugIdentityV3
    CreateSummaryFileWriter CreateSummaryDbWriter WriteSummary WriteGraphSummary WriteRawProtoSummary RemoteCall Rpc
    TryRpc RpcCall RpcClient RpcServer DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3
    DataServiceDatasetV4 GeneratorDataset DecodeProtoV2 EncodeProto GenerateVocabRemapping LoadAndRemapMatrix
    XlaHostCompute XlaLaunch Send Recv _Send _Recv _HostSend _HostRecv AudioMicrofrontend
    """
)
#: They read and write the checkpoint or the vocabulary beside the model, under names that the graph computes.
SAVER = words(
    """
    SaveV2 RestoreV2 MergeV2Checkpoints ShardedFilename ShardedFilespec InitializeTableFromTextFile
    InitializeTableFromTextFileV2 CheckpointExists
    """
)
